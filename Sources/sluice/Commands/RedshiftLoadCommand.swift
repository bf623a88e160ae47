import ArgumentParser
import Batching
import Diagnostics
import Foundation
import Jobs
import Logging

struct RedshiftLoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads what is archived and not yet in the table, each row once.",
        discussion: """
            Compares the batch manifests in S3 with the ledger table, and loads what is missing through the Redshift \
            Data API: few, large COPYs, each in one transaction with its rows of the ledger. It may be killed at any \
            moment, run again, and run from two hosts at once. The ledger table is made if there is none; the table \
            itself is made by `sluice redshift ddl`. With --from and --to only batches whose last record arrived in \
            [from, to) are taken; else all that are not loaded. A batch with a row that Redshift refuses is left out and \
            named, with object, line, shard and sequence number, and the others are loaded. It tells how long it \
            waits, and waits no longer than `limits.run_time`: a statement under way goes on, and the next run meets it.

            Exit codes: 0 all is loaded, 64 usage, 65 Redshift refused rows, 73 other content stands under a key of \
            ours, 74 a manifest is damaged or there is no such cluster, 75 temporary failure or out of time, run \
            again, 77 credentials or permission, 78 job file invalid, without `redshift:`, or a table is missing, \
            128+n ended by signal n.

            Example: sluice redshift load jobs/drupal-archive.yaml
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Option(help: ArgumentHelp("First arrival time.", valueName: "time"))
    var from: TimeArgument?

    @Option(help: ArgumentHelp("End of the range, not included.", valueName: "time"))
    var to: TimeArgument?

    @Flag(help: "Everything that is not loaded yet; so it is without --from and --to, too.")
    var sinceLast = false

    @Flag(help: "Ask the ledger and print what would be loaded; nothing is written anywhere.")
    var dryRun = false

    @Flag(help: "Print the result as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func validate() throws {
        guard (from == nil) == (to == nil), from == nil || !sinceLast else {
            throw ValidationError("give --from and --to, or --since-last, or none of them")
        }
        if let from, let to, from.instant >= to.instant { throw ValidationError("--from must lie before --to") }
    }

    private var range: TimeRange? {
        guard let from, let to else { return nil }
        return TimeRange(from: from.instant, to: to.instant)
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let settings = try file.redshiftSettings()
            let stop = StopSignals.install()
            let region = file.source.stream.region
            let access = try AWSAccess(surroundings, region: region, callsMax: RedshiftLoadJob.callsMax)
            let events = surroundings.events()
            let dependencies = ArchiveDependencies(
                kinesis: try access.kinesis(region: region), s3: try access.s3(file.destination.s3),
                time: surroundings.time, events: events, stop: stop, random: AWSAccess.random,
                failpoints: try Failpoints(specification: surroundings.environment["SLUICE_FAILPOINT"]),
                programVersion: "sluice \(programVersion)", newID: { UUID().uuidString.lowercased() })
            do {
                let report = try await RedshiftLoadJob(
                    file: file, settings: settings, range: range, isDryRun: dryRun,
                    client: try access.redshiftData(region: settings.region), dependencies: dependencies
                ).run()
                events.finish()
                return try show(report, surroundings)
            } catch is CancellationError {
                events.finish()
                return stop.requested.map { 128 + $0 } ?? Diagnostics.ExitCode.temporary.rawValue
            }
        }
    }

    private func show(_ report: RedshiftLoadReport, _ surroundings: Surroundings) throws -> Int32 {
        let summary = RedshiftLoadSummary(report)
        try StandardOutput.print(json ? JSONText.line(summary) : summary.text)
        if let problem = report.problem {
            throw LoadProblem(diagnostic: problem, exitCode: report.problemExitCode)
        }
        for load in report.loads {
            if case .failed(let failure, _) = load.outcome, let hint = failure.hint {
                surroundings.logger.error("hint: \(hint)")
            }
        }
        return report.exitCode.rawValue
    }
}

/// Why a load ended before its time, after the report was shown.
private struct LoadProblem: DiagnosticError {
    var diagnostic: Diagnostic
    var exitCode: Diagnostics.ExitCode
    var isTransient: Bool { false }
}
