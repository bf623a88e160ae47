import ArgumentParser
import CivilTime
import Diagnostics
import Jobs
import Logging
import Records

extension TransformSettings.Format: ExpressibleByArgument {}

/// An instant as the commands take it: RFC 3339, or a day in UTC.
struct TimeArgument: ExpressibleByArgument {
    var instant: Timestamp

    init?(argument: String) {
        guard let instant = RFC3339.parse(argument) else { return nil }
        self.instant = instant
    }
}

struct TransformCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transform",
        abstract: "Turns raw log lines on standard input into rows on standard output.",
        discussion: """
            One row (a JSON object on a line) for each line, in order, as `sluice archive` would write it. \
            Needs no AWS. A last line without line feed counts. A line longer than 16 MiB is cut and reported.

            Exit codes: 0 done, 75 input or output failed, 78 job file invalid, 141 the reader closed the pipe.

            Example: sluice transform --format rfc3164 --timezone Europe/Berlin < /var/log/drupal.log | head
            """)

    @Argument(help: "Archive job file whose `transform:` applies; without it the defaults do.", completion: .jobFile)
    var job: String?

    @Option(help: ArgumentHelp("Format of the lines, instead of the job file's.", valueName: "format"))
    var format: TransformSettings.Format?

    @Option(
        help: ArgumentHelp("IANA zone of timestamps that carry none, instead of the job file's.", valueName: "zone"))
    var timezone: String?

    @Option(
        help: ArgumentHelp(
            "Arrival time of all lines: gives the year that a timestamp lacks. Default: now.", valueName: "time"))
    var arrival: TimeArgument?

    @OptionGroup var log: LogOptions

    func validate() throws {
        if let timezone, TimeZoneTable(identifier: timezone) == nil {
            throw ValidationError("'\(timezone)' is not a time zone that this machine knows, such as Europe/Berlin")
        }
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            var settings = TransformSettings()
            if let job { settings = try archiveJob(job, environment: surroundings.environment).transform }
            if let format { settings.format = format }
            if let timezone { settings.timezone = timezone }
            let pump = try TransformPump(settings: settings, arrival: arrival?.instant ?? surroundings.time.now())
            for note in try pump.run() { surroundings.logger.warning("\(note)") }
            return 0
        }
    }
}

/// Loads a job file that must be `job: archive`.
func archiveJob(_ path: String, environment: [String: String]) throws -> ArchiveJobFile {
    guard case .archive(let file) = try JobFileLoader.load(path: path, environment: environment) else {
        throw wrongKind(path, wanted: .archive)
    }
    return file
}

func wrongKind(_ path: String, wanted: JobFile.Kind) -> JobFileError {
    let problem = JobFileProblem(
        line: 1, column: 1, key: "job", message: "this command needs `job: \(wanted.rawValue)`",
        remedy: "give another job file")
    return JobFileError(path: path, problems: [problem])
}
