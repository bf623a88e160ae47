// When a run ends: its deadline, its stop signal, and what "caught up" means.

import Batching
package import CivilTime

/// How far a run reads.
package enum UntilRule: Sendable, Equatable {
    /// Until everything that arrived before the start of the run is archived.
    case now
    /// Until every shard is empty.
    case drained
    /// Until everything that arrived before this instant is archived.
    case time(Timestamp)
}

/// The ends of one run, the same for all its shards.
struct RunClock: Sendable {
    let started: Timestamp
    let startedNanoseconds: UInt64
    let runTime: Duration
    let until: UntilRule
    let time: any TimeSource
    let stop: StopSignal

    init(until: UntilRule, runTime: Duration, time: any TimeSource, stop: StopSignal) {
        started = time.now()
        startedNanoseconds = time.monotonicNanoseconds()
        self.runTime = runTime
        self.until = until
        self.time = time
        self.stop = stop
    }

    var elapsed: Duration { .nanoseconds(Int64(time.monotonicNanoseconds() &- startedNanoseconds)) }
    var isOver: Bool { elapsed >= runTime }
    /// Less than nothing when it is over.
    var left: Duration { runTime - elapsed }
    /// Reading goes on and failing calls are tried again.
    var mayRead: Bool { stop.requested == nil && !isOver }
}
