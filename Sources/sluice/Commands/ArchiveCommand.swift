import ArgumentParser
import CivilTime
import Foundation
import Jobs

/// How far a run reads, as the command line says it.
struct UntilArgument: ExpressibleByArgument {
    var rule: UntilRule

    init(_ rule: UntilRule) { self.rule = rule }

    init?(argument: String) {
        switch argument {
        case "now": rule = .now
        case "drained": rule = .drained
        default:
            guard let time = TimeArgument(argument: argument) else { return nil }
            rule = .time(time.instant)
        }
    }

    var defaultValueDescription: String { "now" }
}

struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Archives what is on a stream into S3, then exits.",
        discussion: """
            Reads every shard from its checkpoint until it has caught up with the start of the run, commits the rows \
            in batches, and prints what it did. Made to be run every few minutes by cron or a systemd timer; only one \
            run of a job works at a time. SIGTERM and SIGINT end a run in order, a second one at once: nothing \
            committed is lost or doubled either way.

            Exit codes: 0 caught up, 64 usage, 69 records expired unread, 73 other content stands under a key of ours, \
            74 state store or stream is not the one it was, 75 temporary failure or more is waiting: run again, \
            77 credentials or permission, 78 job file invalid, 79 another run holds the job, 128+n ended by signal n.

            Example: sluice archive jobs/drupal-archive.yaml
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Option(
        help: ArgumentHelp(
            "Where to end: now (all that arrived before the run began), drained (every shard is empty), or a time.",
            valueName: "end"))
    var until = UntilArgument(.now)

    @Flag(help: "Print the summary as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let stop = StopSignals.install()
            // A shard reads and uploads at once; some calls more for lists and the control prefix.
            let access = try AWSAccess(
                surroundings, region: file.source.stream.region, callsMax: 2 * file.limits.parallelShards + 4)
            let events = surroundings.events()
            let dependencies = ArchiveDependencies(
                kinesis: try access.kinesis(region: file.source.stream.region),
                s3: try access.s3(file.destination.s3), time: surroundings.time, events: events, stop: stop,
                random: AWSAccess.random,
                failpoints: try Failpoints(specification: surroundings.environment["SLUICE_FAILPOINT"]),
                programVersion: "sluice \(programVersion)", newID: { UUID().uuidString.lowercased() })
            let report = await ArchiveJob(file: file, until: until.rule, dependencies: dependencies).run()
            events.finish()
            if let problem = report.problem { surroundings.errors.print(problem, code: report.exitCode) }
            try StandardOutput.print(
                json ? JSONText.line(RunSummary(report)) : RunSummaryText.text(report))
            return report.status
        }
    }
}
