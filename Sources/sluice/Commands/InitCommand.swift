import ArgumentParser
import Diagnostics
import Jobs

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a commented job file.",
        subcommands: [InitArchiveCommand.self, InitShipCommand.self])
}

struct InitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Kinesis stream, name or ARN.", valueName: "stream"))
    var stream: String?

    @Option(
        help: ArgumentHelp(
            "Region of the stream. Default: from the ARN, AWS_REGION or AWS_DEFAULT_REGION.",
            valueName: "region"))
    var region: String?

    @Option(
        help: ArgumentHelp("Name of the job. Default: from the output's, else from the stream's.", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Where to write, never over a file that is there; - for standard output. Default: NAME.yaml here.",
            valueName: "path"))
    var output: String?

    /// `/etc/sluice/web.yaml` as `web`.
    var fileName: String? {
        guard let last = output?.split(separator: "/").last, last != "-" else { return nil }
        return last.split(separator: ".").first.map(String.init)
    }
}

struct InitArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Writes the job file of an archive.",
        discussion: """
            Asks on a terminal for what the options leave open; elsewhere a missing option is an error. The file \
            shows every key with its default and passes `sluice check`.

            Exit codes: 0 written, 64 usage, 73 the file is there already, 75 it cannot be written.

            Example: sluice init archive --stream my_stream --region us-east-1 --bucket acme-logs
            """)

    @OptionGroup var common: InitOptions

    @Option(help: ArgumentHelp("S3 bucket.", valueName: "bucket"))
    var bucket: String?

    @Option(help: ArgumentHelp("Prefix of the objects. Default: NAME/dt={date}/hour={hour}/.", valueName: "prefix"))
    var prefix: String?

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            var draft = JobFileDraft(.archive, fileName: common.fileName)
            draft.answer("source.stream", common.stream)
            draft.answer("source.region", common.region)
            draft.answer("destination.bucket", bucket)
            draft.answer("name", common.name)
            draft.answer("destination.prefix", prefix)
            try InitRun(surroundings: surroundings, output: common.output).finish(&draft)
            return 0
        }
    }
}

struct InitShipCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ship",
        abstract: "Writes the job file of a shipper.",
        discussion: """
            Asks on a terminal for what the options leave open; elsewhere a missing option is an error. The file \
            shows every key with its default and passes `sluice check`.

            Exit codes: 0 written, 64 usage, 73 the file is there already, 75 it cannot be written.

            Example: sluice init ship --file /var/log/drupal.log --stream my_stream --region us-east-1
            """)

    @OptionGroup var common: InitOptions

    @Option(help: ArgumentHelp("Log file, absolute path or pattern; may be repeated.", valueName: "path"))
    var file: [String] = []

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            var draft = JobFileDraft(.ship, fileName: common.fileName)
            if !file.isEmpty { draft.answer("files", .list(file)) }
            draft.answer("destination.stream", common.stream)
            draft.answer("destination.region", common.region)
            draft.answer("name", common.name)
            try InitRun(surroundings: surroundings, output: common.output).finish(&draft)
            return 0
        }
    }
}

extension JobFileDraft {
    fileprivate mutating func answer(_ key: String, _ text: String?) {
        if let text { answer(key, .scalar(text)) }
    }
}
