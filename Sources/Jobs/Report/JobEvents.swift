// What a running job tells its surroundings. The executable turns events into log lines and a progress line.

package enum EventLevel: String, Sendable, Comparable {
    case debug, info, warning, error

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
    package static func < (a: EventLevel, b: EventLevel) -> Bool { a.rank < b.rank }
}

/// How far a run has come: totals since its start.
package struct ProgressSnapshot: Sendable, Equatable {
    package var records = 0
    package var rows = 0
    /// Bytes of record data read from the stream.
    package var recordBytes = 0
    package var objects = 0
    /// The largest distance of any shard to the tip of the stream.
    package var lag: Duration?
    package var elapsed: Duration = .zero
    package var shardsDone = 0
    package var shardsTotal = 0

    package init() {}
}

/// Where events go. Calls come from many tasks at once and must not block for long.
package protocol JobEvents: Sendable {
    /// One thing that happened, for the log. Never record content, never a secret.
    func event(_ level: EventLevel, _ message: String, _ fields: [(String, String)])
    /// At most a few times a second; a terminal may draw it.
    func progress(_ snapshot: ProgressSnapshot)
}
