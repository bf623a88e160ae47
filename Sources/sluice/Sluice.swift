// The program's entry. Only this target reads the environment and the real clock, and ends the process.

import ArgumentParser

/// What `--version` prints and what manifests say about who wrote them.
let programVersion = "0.1.0"

@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Archives Amazon Kinesis streams of log lines into S3, exactly once.",
        discussion: """
            Run by cron or systemd timers. Results go to standard output, logs to standard error. Credentials, region \
            and endpoints follow the AWS conventions; a job file says the rest.

            Exit codes: 0 done, 1 internal fault, 64 usage, 65 damage found, 69 records expired unread, \
            73 destination conflict, 74 state store or stream identity wrong, 75 temporary failure or more to do: run \
            again, 77 credentials or permission, 78 job file invalid, 79 another run holds the job, 128+n ended by \
            signal n.

            Example: sluice check jobs/drupal-archive.yaml && sluice archive jobs/drupal-archive.yaml
            """,
        version: "sluice \(programVersion)",
        subcommands: [
            ArchiveCommand.self, BackfillCommand.self, ShipCommand.self, StatusCommand.self, VerifyCommand.self,
            TransformCommand.self, RedshiftCommand.self, CheckCommand.self, PolicyCommand.self, InitCommand.self,
            StateCommand.self,
        ]
    )

    static func main() async {
        ProcessSetup.harden()
        if CommandLine.arguments.dropFirst().first == ShipCommand.configuration.commandName {
            ProcessSetup.keepFreedMemory()
        }
        await main(Array(CommandLine.arguments.dropFirst()))
    }
}
