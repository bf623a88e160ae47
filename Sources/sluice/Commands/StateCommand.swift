import AWS
import ArgumentParser
import Diagnostics
import Jobs
import State

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

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"))
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
            let directory = StateDirectory(file.stateDirectory)
            try directory.prepare()
            let lock = try JobLock(directory: directory)
            defer { lock.release() }
            let region = file.source.stream.region
            let access = try AWSAccess(surroundings, region: region, callsMax: 4)
            let stream = try await access.kinesis(region: region).describeStreamSummary(
                stream: file.source.stream.reference)
            let target = file.destination
            let identity = StateIdentity(
                job: file.name, stream: stream.name, streamARN: stream.arn, streamCreation: stream.creation,
                bucket: target.bucket, controlPrefix: target.controlPrefix)
            let store = S3ControlStore(try access.s3(target.s3), attributes: target.attributes)
            let report = try await StateRebuild(objects: store, directory: directory, identity: identity)
                .run(force: force)
            let summary = RebuildSummary(job: file.name, report)
            try StandardOutput.print(json ? JSONText.line(summary) : summary.text)
            return 0
        }
    }
}

extension ArchiveJobFile.Destination {
    var attributes: ObjectAttributes {
        ObjectAttributes(
            storageClass: storageClass, sse: sse, kmsKeyID: kmsKeyID,
            tags: tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}
