package import CivilTime

/// How far a run reads each shard. Arrival times may be out of order, so they end a run but never cut or order a batch.
package enum RunEnd: Sendable, Equatable {
    /// Through to what had arrived at this instant: the start of the run, or the time that the operator gave.
    case time(Timestamp)
    /// Until a page says that nothing is behind it.
    case drained

    /// True when the shard needs no further page in this run.
    ///
    /// - Parameters:
    ///   - millisBehindLatest: of the page just read; 0 means that the tip is reached, which ends every run.
    ///   - lastArrival: arrival of the last record read so far; nil when there was none.
    ///   - horizon: everything that arrived before this instant has been read (server's Date less
    ///     `millisBehindLatest`): it ends quiet shards whose pages are empty.
    package func isReached(millisBehindLatest: Int64, lastArrival: Timestamp?, horizon: Timestamp? = nil) -> Bool {
        if millisBehindLatest == 0 { return true }
        switch self {
        case .drained: return false
        case .time(let end):
            if let lastArrival, lastArrival >= end { return true }
            if let horizon, horizon >= end { return true }
            return false
        }
    }
}
