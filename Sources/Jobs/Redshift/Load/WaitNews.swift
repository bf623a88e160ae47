// When a wait for a statement is worth a line, and what it says. Pure.

import AWS

struct WaitNews: Sendable {
    /// Whoever started the run by hand sees soon that it waits; a log gets two lines a minute.
    static let first = Duration.seconds(2)
    static let interval = Duration.seconds(30)

    private var next = Self.first

    /// Nil until the next line is due.
    mutating func text(_ what: String, _ id: String, _ status: StatementStatus, _ waited: Duration) -> String? {
        guard waited >= next else { return nil }
        next = waited + Self.interval
        return "\(what): waiting for \(waited.components.seconds) s, statement \(id) is \(status.rawValue)"
    }
}
