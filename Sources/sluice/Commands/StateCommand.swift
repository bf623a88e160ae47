import ArgumentParser
import Jobs

struct StateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Looks after the local state of an archive job.",
        subcommands: [StateRebuildCommand.self])
}

struct StateRebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Makes lost or damaged state anew from the manifests in S3.",
        discussion: """
            Reads the last manifest of every shard and writes a new state file; nothing in S3 is changed but the \
            owner marker, so that the old state, or another host, is refused from now on. The old file is kept \
            beside the new one. Batches that were planned and never committed are read from the stream again.

            Exit codes: 0 done, 64 usage, 74 the state is whole (--force replaces it) or a manifest is damaged, \
            75 temporary failure, 77 credentials or permission, 78 job file invalid, 79 another run holds the job.

            Example: sluice state rebuild jobs/drupal-archive.yaml
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Flag(help: "Replace a state that is whole, or that belongs to an earlier stream of the same name.")
    var force = false

    @Flag(help: "Print the result as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let region = file.source.stream.region
            let access = try AWSAccess(surroundings, region: region, callsMax: 4)
            let report = try await RebuildJob(
                file: file, kinesis: access.kinesis(region: region), s3: access.s3(file.destination.s3)
            ).run(force: force)
            let summary = RebuildSummary(report)
            try StandardOutput.print(json ? JSONText.line(summary) : summary.text)
            return 0
        }
    }
}
