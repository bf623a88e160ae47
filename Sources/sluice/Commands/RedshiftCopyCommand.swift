import ArgumentParser
import Batching
import CivilTime
import Foundation
import Jobs
import Logging
import Redshift

struct RedshiftCopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Writes a COPY manifest over archived objects and prints the statement that loads it.",
        discussion: """
            Takes the batches whose last record arrived in [from, to), or with --since-last those that no COPY manifest \
            of the job names yet. The COPY manifest and the JSONPaths file are put beside the batch manifests, below \
            the control prefix; the statement goes to standard output, for psql. The database is not asked. The same \
            batches give the same manifest again. A time is RFC 3339 or YYYY-MM-DD (UTC). With nothing to load nothing \
            is printed.

            A statement that was printed counts as used for --since-last. If it got lost, --from and --to give it again.

            Exit codes: 0 done or nothing to load, 64 usage or too many objects for one COPY, 73 other content stands \
            under a key of ours, 74 a manifest is damaged, 75 temporary failure, 77 credentials or permission, 78 job \
            file invalid or without `redshift:`, 128+n ended by signal n.

            Example: sluice redshift copy jobs/drupal-archive.yaml --from 2026-11-22 --to 2026-11-23 | psql
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Option(help: ArgumentHelp("First arrival time.", valueName: "time"))
    var from: TimeArgument?

    @Option(help: ArgumentHelp("End of the range, not included.", valueName: "time"))
    var to: TimeArgument?

    @Flag(help: "Take what no COPY manifest names yet.")
    var sinceLast = false

    @Flag(help: "Print the statement with a placeholder for the manifest's name; asks no AWS.")
    var statementOnly = false

    @Flag(help: "Print the statement, and put nothing into the bucket.")
    var dryRun = false

    @Flag(help: "Print the result as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func validate() throws {
        let ways = [from != nil || to != nil, sinceLast, statementOnly].count { $0 }
        guard ways == 1, (from == nil) == (to == nil) else {
            throw ValidationError("give --from and --to, or --since-last, or --statement-only")
        }
        if let from, let to, from.instant >= to.instant { throw ValidationError("--from must lie before --to") }
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let settings = try file.redshiftSettings()
            if statementOnly {
                let key = "\(file.destination.controlPrefix)redshift/copy/NAME.manifest"
                try StandardOutput.printAlways(file.copyStatement(settings, manifest: key).text + ";")
                return 0
            }
            let selection: CopySelection =
                if let from, let to { .arrived(TimeRange(from: from.instant, to: to.instant)) } else { .sinceLast }
            let stop = StopSignals.install()
            let region = file.source.stream.region
            let access = try AWSAccess(surroundings, region: region, callsMax: RedshiftCopyJob.callsMax)
            let events = surroundings.events()
            let dependencies = ArchiveDependencies(
                kinesis: try access.kinesis(region: region), s3: try access.s3(file.destination.s3),
                time: surroundings.time, events: events, stop: stop, random: AWSAccess.random,
                failpoints: try Failpoints(specification: surroundings.environment["SLUICE_FAILPOINT"]),
                programVersion: "sluice \(programVersion)", newID: { UUID().uuidString.lowercased() })
            do {
                let report = try await RedshiftCopyJob(
                    file: file, settings: settings, selection: selection, isDryRun: dryRun, dependencies: dependencies
                ).run()
                events.finish()
                try show(report, surroundings)
                return 0
            } catch is CancellationError {
                events.finish()
                return stop.requested.map { 128 + $0 } ?? 75
            }
        }
    }

    private func show(_ report: RedshiftCopyReport, _ surroundings: Surroundings) throws {
        let summary = RedshiftCopySummary(report)
        if json { return try StandardOutput.printAlways(JSONText.line(summary)) }
        surroundings.logger.info("\(summary.text)")
        if let statement = report.statement { try StandardOutput.printAlways(statement + ";") }
    }
}
