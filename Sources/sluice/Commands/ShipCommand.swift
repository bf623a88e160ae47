import ArgumentParser
import Diagnostics
import Jobs

struct ShipCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ship",
        abstract: "Ships log files into a stream.",
        discussion: """
            Sends every line that the files held when the run began and that no earlier run has sent, then exits. \
            Positions are kept in the state directory and move only when the stream has stored the lines: a run that \
            dies sends some lines twice and loses none.

            Exit codes: 0 everything is sent, 64 usage, 75 temporary failure or more is waiting: run again, \
            77 credentials or permission, 78 job file invalid, 79 another run holds the job, 128+n ended by signal n.

            Example: sluice ship jobs/drupal-ship.yaml --once
            """)

    @Argument(help: ArgumentHelp("Job file with `job: ship`.", valueName: "job"))
    var job: String

    @Flag(help: "Ship to the end of each file as it is now, then exit.")
    var once = false

    @Flag(help: "Print the summary as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func validate() throws {
        if !once { throw ValidationError("this version ships with --once only: run it from cron or a systemd timer") }
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            guard case .ship(let file) = try JobFileLoader.load(path: job, environment: surroundings.environment) else {
                throw wrongKind(job, wanted: .ship)
            }
            let region = file.destination.stream.region
            let stop = StopSignals.install()
            let access = try AWSAccess(surroundings, region: region, callsMax: file.maxInFlight + 4)
            let events = surroundings.events()
            let dependencies = ShipDependencies(
                kinesis: try access.kinesis(region: region), time: surroundings.time, events: events, stop: stop,
                random: AWSAccess.random, hostName: HostName.local())
            let report = await ShipJob(file: file, dependencies: dependencies).run()
            events.finish()
            if let problem = report.problem { surroundings.errors.print(problem, code: report.exitCode) }
            try StandardOutput.print(json ? JSONText.line(ShipSummary(report)) : ShipSummary(report).text)
            return report.status
        }
    }
}
