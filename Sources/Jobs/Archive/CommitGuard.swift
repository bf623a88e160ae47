// Asked before each effect of a batch: may this run still store it?

package import Batching
import State

package protocol CommitGuard: Sendable {
    /// Throws when the batch must not be stored. Cheap after the first time.
    func claim(_ intent: BatchIntent) async throws
}

extension OwnerGuard: CommitGuard {
    /// A run of the job owns all shards or none.
    package func claim(_ intent: BatchIntent) async throws { try await claim() }
}
