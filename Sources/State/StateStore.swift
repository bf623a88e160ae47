// The memory of a job between runs. Every method is one transaction: after a crash it has happened or it has not.

package import Batching
package import CivilTime

/// Checkpoints, open batches and runs of one job.
package protocol StateStore: Sendable {
    /// Who owns the commits, and where the first run began.
    func owner() async throws(StateError) -> OwnerRecord
    /// Writes down that the marker with this claim is about to be stored. Done before the PUT, so that after a crash
    /// between the two the marker is recognised as our own.
    func setPending(_ claim: OwnerClaim) async throws(StateError)
    /// The marker with this claim is stored.
    func confirm(_ claim: OwnerClaim) async throws(StateError)

    /// Writes down what the first run decided, with its shards. Only once.
    func begin(start: StartSet, shards: [ShardState]) async throws(StateError)
    /// All shards, sorted by id.
    func shards() async throws(StateError) -> [ShardState]
    /// Adds shards that are not known yet; those that are stay as they are.
    func add(_ shards: [ShardState]) async throws(StateError)
    /// The shard is wholly archived; its children may begin. A child that is known keeps its position.
    func markEnded(_ shard: String, children: [ShardState]) async throws(StateError)
    /// Shard to horizon: everything that arrived on the shard before it is committed. Never goes back.
    func setHorizons(_ horizons: [String: Timestamp]) async throws(StateError)

    /// All of it at one instant, for those who report.
    func snapshot() async throws(StateError) -> StateSnapshot

    /// Writes a batch's plan down. A shard has one open plan at most.
    func saveIntent(_ intent: BatchIntent) async throws(StateError)
    /// Plans whose batch is not committed, sorted by shard.
    func openIntents() async throws(StateError) -> [BatchIntent]
    /// Replaces an open plan by one of the same batch whose objects were made anew.
    func replaceIntent(_ intent: BatchIntent, with made: BatchIntent) async throws(StateError)
    /// Moves the shard's checkpoint past the batch and clears its plan, together.
    func commit(_ intent: BatchIntent, manifestKey: String) async throws(StateError)

    /// - Returns: an identifier for `endRun`.
    func beginRun(started: Timestamp) async throws(StateError) -> Int64
    /// - Parameter summary: JSON text.
    func endRun(_ run: Int64, ended: Timestamp, exitCode: Int32, summary: String?) async throws(StateError)
    /// The newest runs first.
    func lastRuns(_ limit: Int) async throws(StateError) -> [RunRecord]
}

/// One write of the owner marker.
package struct OwnerClaim: Codable, Sendable, Equatable {
    package var generation: Int64
    /// Random.
    package var id: String

    package init(generation: Int64, id: String) {
        self.generation = generation
        self.id = id
    }
}

package struct OwnerRecord: Sendable, Equatable {
    /// Made with the store; a copy of the store has the same.
    package var stateID: String
    /// The last claim known to be stored; nil before the first.
    package var claim: OwnerClaim?
    /// A claim that was begun and not confirmed.
    package var pending: OwnerClaim?
    /// Nil until the first run has decided.
    package var start: StartSet?

    package init(stateID: String, claim: OwnerClaim? = nil, pending: OwnerClaim? = nil, start: StartSet? = nil) {
        self.stateID = stateID
        self.claim = claim
        self.pending = pending
        self.start = start
    }
}

package struct RunRecord: Sendable, Equatable {
    package var id: Int64
    package var started: Timestamp
    /// Nil while it runs, and for ever when it was killed.
    package var ended: Timestamp?
    package var exitCode: Int32?
    package var summary: String?
}
