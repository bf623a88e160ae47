import ArgumentParser
import CivilTime
import Foundation
import Jobs

struct BackfillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill",
        abstract: "Archives what no manifest covers of the records that arrived in a time range.",
        discussion: """
            Finds from the manifests in S3 what is missing in [from, to), reads only that from the stream, and stores it \
            as a run of the job would. Safe beside the job and beside other backfills, on this host and on others: no \
            record is archived twice. What follows the last manifest of a shard is left to the job. A time is RFC 3339 \
            or YYYY-MM-DD (UTC); a range that reaches into the future is filled up to now. A backfill that was killed \
            is finished by the next one.

            Exit codes: 0 the range is archived, 64 usage, 69 a part of the range has left the stream (the rest is \
            archived, the missing windows are named), 73 other content stands under a key of ours, 74 owner marker or \
            stream is not the one it was, 75 temporary failure or records of the range wait for the job itself: run \
            `sluice archive`, then this again, 77 credentials or permission, 78 job file invalid, 79 another backfill \
            of the job runs on this host, 128+n ended by signal n.

            Example: sluice backfill jobs/drupal-archive.yaml --from 2026-11-22 --to 2026-11-23 --dry-run
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Option(help: ArgumentHelp("First arrival time.", valueName: "time"))
    var from: TimeArgument

    @Option(help: ArgumentHelp("End of the range, not included.", valueName: "time"))
    var to: TimeArgument

    @Flag(help: "Print what would be read, and change nothing anywhere.")
    var dryRun = false

    @Flag(help: "Print the result as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func validate() throws {
        guard from.instant < to.instant else { throw ValidationError("--from must lie before --to") }
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let stop = StopSignals.install()
            let access = try AWSAccess(
                surroundings, region: file.source.stream.region,
                callsMax: max(BackfillJob.readsMax, 2 * file.limits.parallelShards) + 4)
            let events = surroundings.events()
            let dependencies = ArchiveDependencies(
                kinesis: try access.kinesis(region: file.source.stream.region),
                s3: try access.s3(file.destination.s3), time: surroundings.time, events: events, stop: stop,
                random: AWSAccess.random,
                failpoints: try Failpoints(specification: surroundings.environment["SLUICE_FAILPOINT"]),
                programVersion: "sluice \(programVersion)", newID: { UUID().uuidString.lowercased() })
            let report = await BackfillJob(
                file: file, from: from.instant, to: to.instant, isDryRun: dryRun,
                dependencies: dependencies
            ).run()
            events.finish()
            if let problem = report.problem { surroundings.errors.print(problem, code: report.exitCode) }
            let shards = file.limits.parallelShards
            try StandardOutput.print(
                json
                    ? JSONText.line(BackfillSummary(report, parallelShards: shards))
                    : BackfillSummaryText.text(report, parallelShards: shards))
            return report.status
        }
    }
}
