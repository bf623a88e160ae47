import ArgumentParser
import Diagnostics
import Foundation
import Jobs

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how far an archive job is behind, and whether records are in danger.",
        discussion: """
            Tells of each shard its checkpoint, the arrival of the last archived record, what waits (age, estimated \
            bytes, share of the stream's retention) and how long catching up takes; then open batches, the last run \
            and the totals. From 50 % of the retention on a shard is behind, from 80 % it is critical. Nothing is \
            locked and nothing changes: it may run beside the job. When AWS cannot be reached it tells what the local \
            state knows.

            Exit codes: 0 well, 64 usage, 69 records expired unread, 74 the state is damaged or not this job's, \
            75 behind, never run, or AWS not reached, 77 credentials or permission, 78 job file invalid.

            Example: sluice status jobs/drupal-archive.yaml
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Flag(help: "Print the result as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let region = file.source.stream.region
            let access = try AWSAccess(surroundings, region: region, callsMax: 8)
            let dependencies = ArchiveDependencies(
                kinesis: try access.kinesis(region: region), s3: try access.s3(file.destination.s3),
                time: surroundings.time, events: surroundings.events(), stop: StopSignal(), random: AWSAccess.random,
                failpoints: Failpoints(), programVersion: "sluice \(programVersion)",
                newID: { UUID().uuidString.lowercased() })
            let report = try await StatusJob(file: file, dependencies: dependencies).run()
            try StandardOutput.print(json ? JSONText.line(StatusSummary(report)) : StatusText.text(report))
            return report.exitCode.rawValue
        }
    }
}
