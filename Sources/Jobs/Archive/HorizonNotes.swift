// Up to when idle shards are archived, written down for many of them in one transaction: on a stream of a thousand shards
// a transaction each was half the cost of a run that found nothing. What is held when the program is killed is lost, and
// the next run finds it again: a horizon that is too old claims too little.

import CivilTime
import State

actor HorizonNotes {
    /// Shards that are held at most.
    static let heldMax = 200
    /// Those who look at the state meanwhile see no shard later than this, as long as shards come to their ends.
    static let holdMax = Duration.seconds(1)

    private let store: any StateStore
    private let failpoints: Failpoints
    private let clock = ContinuousClock()
    private var held: [String: Timestamp] = [:]
    private var lastWrite: ContinuousClock.Instant?

    init(store: any StateStore, failpoints: Failpoints) {
        self.store = store
        self.failpoints = failpoints
    }

    /// Everything that arrived on the shard before `horizon` is committed.
    func note(_ shard: String, _ horizon: Timestamp) async throws {
        held[shard] = max(held[shard] ?? horizon, horizon)
        let isDue = lastWrite.map { clock.now - $0 >= Self.holdMax } ?? true
        if isDue || held.count >= Self.heldMax { try await write() }
    }

    /// Writes what is held; a run must not end without it.
    func write() async throws {
        guard !held.isEmpty else { return }
        let written = held
        held = [:]
        lastWrite = clock.now
        try failpoints.hit(.horizonBefore)
        try await store.setHorizons(written)
        try failpoints.hit(.horizonAfter)
    }
}
