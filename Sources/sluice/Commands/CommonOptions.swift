// Options that every command takes, and what they set up.

import ArgumentParser
import CivilTime
import Diagnostics
import Foundation
import Glibc
import Logging

extension LogFormat: ExpressibleByArgument {}

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
}

/// What a command sees of the process: environment, clock, standard error.
struct Surroundings {
    let environment: [String: String]
    let time = SystemTimeSource()
    let console = Console()
    let logger: Logger
    let errors: ErrorReport
    let showsProgress: Bool

    init(_ options: LogOptions) {
        environment = ProcessInfo.processInfo.environment
        let (console, time) = (console, time)
        logger = Logger(label: "sluice") { _ in
            ConsoleLogHandler(
                logLevel: options.logLevel.logger, format: options.logFormat, console: console, time: time)
        }
        errors = ErrorReport(console: console, format: options.logFormat, time: time)
        showsProgress = options.logFormat == .text && console.isTerminal(term: environment["TERM"])
    }

    /// What a job reports its progress and events to.
    func events() -> ConsoleEvents {
        ConsoleEvents(logger: logger, console: console, time: time, showsProgress: showsProgress)
    }

    /// Runs a command's work: an error is printed and becomes the status.
    func run(_ work: () async throws -> Int32) async throws {
        let status: Int32
        do {
            status = try await work()
        } catch let error as OutputError where error.isClosedPipe {
            console.clear()
            // As SIGPIPE would have ended it: the status says so, and nothing is printed.
            status = 128 + SIGPIPE
        } catch {
            console.clear()
            status = errors.print(error).rawValue
        }
        guard status == 0 else { throw ArgumentParser.ExitCode(status) }
    }
}
