import ArgumentParser
import Jobs
import Logging

/// `archive,check`: commands that a policy is for.
struct CommandList: ExpressibleByArgument {
    var commands: [JobCommand]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        commands = words.compactMap { JobCommand(rawValue: String($0)) }
        guard commands.count == words.count else { return nil }
    }

    static let allValueStrings = JobCommand.allCases.map(\.rawValue)
}

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Prints the least IAM policy that jobs need.",
        discussion: """
            The policy allows what the job's commands do on its stream, under its prefixes and with its keys, and \
            nothing else: objects may be put and never replaced, and nothing may be deleted. Several job files give \
            one policy for a role that runs them all. AWS is not asked; what the job file does not say comes from \
            the options. Credentials that assume a role need sts:AssumeRole besides: that is a matter of the AWS \
            configuration, not of a job.

            Exit codes: 0 done, 64 usage, 78 job file invalid.

            Example: sluice policy jobs/drupal-archive.yaml --account 123456789012 > policy.json && \
            aws iam create-policy --policy-name sluice --policy-document file://policy.json
            """)

    @Argument(help: ArgumentHelp("Job files.", valueName: "job"), completion: .jobFile)
    var jobs: [String]

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "Only for these commands: a list such as archive,check. Default: all that the jobs can run.",
            valueName: "commands"))
    var commands: CommandList?

    @Option(
        help: ArgumentHelp(
            """
            Account of a stream that is given by name, and of keys without ARN; '*' leaves it open. \
            Default: AWS_ACCOUNT_ID.
            """, valueName: "id"))
    var account: String?

    @Option(
        help: ArgumentHelp(
            "KMS key that encrypts the stream: id, alias/name or ARN (aws kinesis describe-stream-summary).",
            valueName: "key"))
    var streamKey: String?

    @Option(
        help: ArgumentHelp(
            "KMS key that the bucket encrypts with by default, where the job file names none.", valueName: "key"))
    var bucketKey: String?

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let account, account != "*", account.wholeMatch(of: /[0-9]{12}/) == nil {
            throw ValidationError("'\(account)' is not an account: give its 12 digits")
        }
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            var files: [JobFile] = []
            for path in jobs { files.append(try JobFileLoader.load(path: path, environment: surroundings.environment)) }
            let fromEnvironment = surroundings.environment["AWS_ACCOUNT_ID"].flatMap { $0.isEmpty ? nil : $0 }
            let document = try JobPolicy.document(
                files,
                options: PolicyOptions(
                    account: account ?? fromEnvironment, streamKey: streamKey, bucketKey: bucketKey,
                    commands: commands?.commands))
            if document.characterCount > PolicyDocument.charactersMax {
                surroundings.logger.warning(
                    "\(document.characterCount) characters are more than IAM takes in a managed policy: split the jobs")
            }
            try StandardOutput.printAlways(document.json)
            return 0
        }
    }
}
