import ArgumentParser
import Diagnostics
import Jobs

struct ShipCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ship",
        abstract: "Ships log files into a stream.",
        usage: """
            sluice ship <job> [--once] [--dry-run] [--json]
            sluice ship import-fluentd <file> [--pos-file <file> ...] [--output <job>]
            """,
        discussion: """
            Follows the files of the job and puts their lines on the stream until it is asked to end (SIGTERM); with \
            --once it sends what the files hold when the run begins, and exits. Rotated files are finished first, also \
            when they were copied, compressed, or rotated several times in between. Positions are kept in the state \
            directory and move only when the stream has stored the lines: a run that dies sends some lines twice, under \
            the same partition key, and loses none.

            Exit codes: 0 everything is sent, 64 usage, 65 records went to the dead-letter file, 74 stream missing or \
            positions not usable, 75 temporary failure or more is waiting: run again, 77 credentials or permission, \
            78 job file invalid, 79 another run holds the job, 128+n a run with --once ended by signal n.

            Example: sluice ship jobs/drupal-ship.yaml --once
            """,
        subcommands: [ShipRunCommand.self, ImportFluentdCommand.self],
        defaultSubcommand: ShipRunCommand.self)
}

struct ShipRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Ships the files of a job: what `sluice ship <job>` does.")

    @Argument(help: ArgumentHelp("Job file with `job: ship`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Flag(help: "Ship to the end of each file as it is now, then exit.")
    var once = false

    @Flag(help: "Read only: print what would be sent, and how many shards it takes. Sends and writes nothing.")
    var dryRun = false

    @Flag(help: "Print the summary as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            guard case .ship(let file) = try JobFileLoader.load(path: job, environment: surroundings.environment) else {
                throw wrongKind(job, wanted: .ship)
            }
            let events = surroundings.events()
            if dryRun {
                let estimate = try ShipEstimate.run(
                    file: file, events: events, time: surroundings.time, hostName: HostName.local())
                let summary = EstimateSummary(estimate)
                try StandardOutput.print(json ? JSONText.line(summary) : summary.text)
                return estimate.exitCode.rawValue
            }
            return try await ship(file, events, surroundings)
        }
    }

    private func ship(
        _ file: ShipJobFile, _ events: ConsoleEvents, _ surroundings: Surroundings
    ) async throws -> Int32 {
        let region = file.destination.stream.region
        let stop = StopSignals.install()
        ProcessSetup.raiseOpenFileLimit()
        let access = try AWSAccess(surroundings, region: region, callsMax: file.maxInFlight + 4)
        let dependencies = ShipDependencies(
            // The run decides what is sent again, and when.
            kinesis: try access.kinesis(region: region, attemptsMax: 1), time: surroundings.time, events: events,
            stop: stop, random: AWSAccess.random, hostName: HostName.local(),
            notifier: SystemdNotifier(environment: surroundings.environment) ?? NoServiceManager(),
            failpoints: try Failpoints(specification: surroundings.environment["SLUICE_FAILPOINT"]))
        let report = await ShipJob(file: file, mode: once ? .once : .follow, dependencies: dependencies).run()
        events.finish()
        if let problem = report.problem { surroundings.errors.print(problem, code: report.exitCode) }
        try StandardOutput.print(json ? JSONText.line(ShipSummary(report)) : ShipSummary(report).text)
        return report.status
    }
}
