import CivilTime
import Jobs
import Logging
import Synchronization

/// Turns what a job tells into log lines and, on a terminal, a progress line.
final class ConsoleEvents: JobEvents {
    /// Five times a second is as often as an eye can follow.
    private static let redrawInterval: UInt64 = 200_000_000

    private let logger: Logger
    private let console: Console
    private let time: any TimeSource
    private let showsProgress: Bool
    private let state = Mutex(State())

    private struct State {
        var nextDraw: UInt64 = 0
        var line = ProgressLine()
    }

    init(logger: Logger, console: Console, time: any TimeSource, showsProgress: Bool) {
        self.logger = logger
        self.console = console
        self.time = time
        self.showsProgress = showsProgress
    }

    func event(_ level: EventLevel, _ message: String, _ fields: [(String, String)]) {
        let metadata = Logger.Metadata(
            uniqueKeysWithValues: Dictionary(fields) { first, _ in first }.map { ($0, .string($1)) })
        logger.log(level: Self.level(level), "\(message)", metadata: metadata)
    }

    func progress(_ snapshot: ProgressSnapshot) {
        guard showsProgress else { return }
        let now = time.monotonicNanoseconds()
        let text: String? = state.withLock { state in
            let line = state.line.text(snapshot)
            guard now >= state.nextDraw else { return nil }
            state.nextDraw = now + Self.redrawInterval
            return line
        }
        if let text { console.draw(text) }
    }

    /// Takes the progress line away; to be called before results are printed.
    func finish() { console.clear() }

    private static func level(_ level: EventLevel) -> Logger.Level {
        switch level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
