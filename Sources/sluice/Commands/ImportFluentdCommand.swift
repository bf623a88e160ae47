import ArgumentParser
import Diagnostics
import Glibc
import Jobs

struct ImportFluentdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-fluentd",
        abstract: "Makes ship jobs from a Fluentd (td-agent) configuration.",
        discussion: """
            Reads the configuration and what it includes, follows each `@type tail` source to its Kinesis outputs, and \
            writes a job file for each pair. Every setting is accounted for: taken over, mapped, ignored with the \
            reason, or refused with advice. Credentials are never copied and never printed. Without --output the job \
            file is printed, with the account as comments before it.

            With --pos-file, Fluentd's positions go into the state directory of the job, so that `sluice ship` goes on \
            where Fluentd stopped. Stop Fluentd first and let it empty its buffers: its positions say what was read, \
            not what was sent.

            Exit codes: 0 done, 64 usage, 73 the output is there already, 74 the state directory has positions \
            already, 75 a file cannot be read or written, 77 permission, 78 the configuration or the job file that \
            comes out is invalid, or nothing can be shipped, 79 another run holds the job.

            Example: sluice ship import-fluentd /etc/td-agent/td-agent.conf --output jobs/drupal-web.yaml
            """)

    @Argument(help: ArgumentHelp("Fluentd's configuration file.", valueName: "file"), completion: .file())
    var configuration: String

    @Option(help: ArgumentHelp("Position file of a tail source; may be given several times.", valueName: "file"))
    var posFile: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where the job file goes; a directory when several come out. Nothing is overwritten.", valueName: "job"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "State directory of the job. Default: /var/lib/sluice/<name of the job>.", valueName: "directory"))
    var stateDirectory: String?

    @Flag(help: "Print the account, with the job files in it, as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let stateDirectory, !stateDirectory.hasPrefix("/") {
            throw ValidationError("--state-directory must be an absolute path, such as /var/lib/sluice/drupal-web")
        }
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let found = try FluentdImport.read(path: configuration, stateDirectory: stateDirectory)
            if found.made.count > 1, stateDirectory != nil {
                throw ImportError(
                    "use", "--state-directory", "\(found.made.count) jobs come out, which need one each",
                    hint: "leave it out, and change state.directory in the job files", .usage)
            }
            var outcome = try ImportOutcome(found, output: output, environment: surroundings.environment)
            try outcome.plan(positionFiles: posFile)
            if found.failure == nil { try outcome.write() }
            let summary = ImportSummary(outcome)
            try StandardOutput.print(json ? JSONText.line(summary) : summary.text)
            if let failure = found.failure { throw failure }
            return 0
        }
    }
}

/// What stops an import, where the layers below could not know it.
struct ImportError: DiagnosticError, Equatable {
    var diagnostic: Diagnostic
    var exitCode: Diagnostics.ExitCode
    var isTransient: Bool { false }

    init(
        _ operation: String, _ subject: String, _ cause: String, hint: String?, _ exitCode: Diagnostics.ExitCode
    ) {
        diagnostic = Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint)
        self.exitCode = exitCode
    }
}
