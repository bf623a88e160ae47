// Options that every command takes, and what they set up.

import ArgumentParser
import CivilTime
import Diagnostics
import Foundation
import Glibc
import Logging

extension LogFormat: ExpressibleByArgument {}

extension CompletionKind {
    /// What a shell offers for an argument that is a job file.
    static var jobFile: CompletionKind { .file(extensions: ["yaml", "yml"]) }
}

enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case debug, info, warning, error

    var logger: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}

struct LogOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Least level of log lines.", valueName: "level"))
    var logLevel: LogLevel = .info

    @Option(help: ArgumentHelp("Form of log lines and errors.", valueName: "form"))
    var logFormat: LogFormat = .text

    @Flag(
        help: """
            Print nothing when all is well: exit 0 without a warning, or 79. For cron, which mails what is printed.
            """)
    var quiet = false
}

/// What a command sees of the process: environment, clock, standard error.
struct Surroundings {
    let environment: [String: String]
    let time = SystemTimeSource()
    let console = Console()
    let logger: Logger
    let errors: ErrorReport
    let showsProgress: Bool
    private let isQuiet: Bool

    init(_ options: LogOptions) {
        environment = ProcessInfo.processInfo.environment
        isQuiet = options.quiet
        let (console, time) = (console, time)
        let level = options.quiet ? max(options.logLevel.logger, .warning) : options.logLevel.logger
        logger = Logger(label: "sluice") { _ in
            ConsoleLogHandler(logLevel: level, format: options.logFormat, console: console, time: time)
        }
        errors = ErrorReport(
            console: console, format: options.logFormat, time: time, hidesLockedJob: options.quiet)
        showsProgress =
            options.logFormat == .text && !options.quiet && console.isTerminal(term: environment["TERM"])
        if options.quiet { StandardOutput.hold() }
    }

    /// What a job reports its progress and events to.
    func events() -> ConsoleEvents {
        ConsoleEvents(logger: logger, console: console, time: time, showsProgress: showsProgress)
    }

    /// Runs a command's work: an error is printed and becomes the status.
    func run(_ work: () async throws -> Int32) async throws {
        var status = await status(of: work)
        if isQuiet { status = await self.status { try showHeldResult(status) } }
        guard status == 0 else { throw ArgumentParser.ExitCode(status) }
    }

    private func status(of work: () async throws -> Int32) async -> Int32 {
        do {
            return try await work()
        } catch let error as OutputError where error.isClosedPipe {
            console.clear()
            // As SIGPIPE would have ended it: the status says so, and nothing is printed.
            return 128 + SIGPIPE
        } catch {
            console.clear()
            return errors.print(error).rawValue
        }
    }

    /// What `--quiet` held back is shown when something went wrong, or when a warning stands without it.
    private func showHeldResult(_ status: Int32) throws -> Int32 {
        let isWell = [Diagnostics.ExitCode.done, .jobLocked].contains { $0.rawValue == status }
        if isWell, !console.hasSpoken { StandardOutput.drop() } else { try StandardOutput.release() }
        return status
    }
}
