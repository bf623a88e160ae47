// Keeps two states from continuing the same commits. `verify` at the start of a run refuses what cannot be right;
// `claim`, before the run's first effect, replaces the marker by compare-and-swap, so that of two runs at the same
// time one is refused before it has stored anything.

import AWS
import Batching
import Diagnostics

package actor OwnerGuard {
    private let objects: any ControlStore
    private let store: any StateStore
    private let identity: StateIdentity
    private let key: String
    private let newID: @Sendable () -> String

    /// What the last look at the bucket showed; nil before the first, and after a PUT whose outcome is not known.
    private var seen: Seen?
    private var claiming: Task<Void, any Error>?

    private struct Seen {
        var generation: Int64
        /// Nil when there is no marker.
        var etag: String?
        var isMissing: Bool
    }

    /// - Parameter newID: gives a random identity; only tests replace it.
    package init(
        objects: any ControlStore, store: any StateStore, identity: StateIdentity, controlPrefix: String,
        newID: @escaping @Sendable () -> String = { OwnerGuard.randomID() }
    ) {
        self.objects = objects
        self.store = store
        self.identity = identity
        key = OwnerMarker.key(controlPrefix: controlPrefix)
        self.newID = newID
    }

    /// Compares the marker in the bucket with the state. Stores nothing in the bucket.
    ///
    /// - Throws: `StateError` (exit 74) when the state must not go on with these commits; an error of the object store.
    package func verify() async throws { _ = try await look() }

    /// Makes the marker this run's own. Call it before each effect: the first call does the work, calls beside it wait,
    /// later ones return at once. After a failure the next call tries again.
    package func claim() async throws {
        if let claiming { return try await claiming.value }
        // Not tied to the caller's cancellation: a claim that has begun is finished.
        let task = Task { try await self.makeClaim() }
        claiming = task
        do {
            try await task.value
        } catch {
            claiming = nil
            throw error
        }
    }

    private func makeClaim() async throws {
        let current: Seen
        if let seen { current = seen } else { current = try await look() }
        let owner = try await store.owner()
        // A claim that was begun and never landed leaves a hole in the numbers, which does no harm.
        let generation = max(current.generation, owner.claim?.generation ?? 0, owner.pending?.generation ?? 0) + 1
        let claim = OwnerClaim(generation: generation, id: newID())
        let marker = OwnerMarker(
            job: identity.job, stream: identity.stream, streamARN: identity.streamARN,
            streamCreation: identity.streamCreation, stateID: owner.stateID, generation: claim.generation,
            claimID: claim.id, start: owner.start)
        let bytes = try marker.canonicalBytes()
        try await store.setPending(claim)
        seen = nil
        let condition = try self.condition(current)
        if try await objects.put(key: key, bytes: bytes, condition: condition) == .preconditionFailed {
            // Our own PUT whose answer was lost, or somebody else: `look` tells and confirms.
            _ = try await look()
            guard try await store.owner().claim == claim else {
                throw StateError(
                    .ownership, "claim owner marker", subject, "another run changed it at the same time",
                    hint: "find the host that runs the same job; one of them must stop or get another name")
            }
            return
        }
        try await store.confirm(claim)
    }

    private func condition(_ current: Seen) throws -> PutCondition {
        if current.isMissing { return .ifAbsent }
        guard let etag = current.etag else {
            throw StateError(
                .ownership, "claim owner marker", subject,
                "the object store gave no ETag, so it cannot be replaced safely",
                hint: "the store must support conditional PUT (If-Match)")
        }
        return .ifMatch(etag)
    }

    private func look() async throws -> Seen {
        let document = try await objects.get(key: key, bytesMax: OwnerMarker.bytesMax)
        let marker = try document.map { try OwnerMarker.decode($0.bytes) }
        let verdict = OwnerRule.decide(
            marker: marker, owner: try await store.owner(), identity: identity, subject: subject)
        switch verdict {
        case .refused(let error): throw error
        case .recovered(let claim): try await store.confirm(claim)
        case .first, .continues: break
        }
        let found = Seen(generation: marker?.generation ?? 0, etag: document?.etag, isMissing: marker == nil)
        seen = found
        return found
    }

    private var subject: String { "s3://\(identity.bucket)/\(key)" }

    /// 128 random bits, hexadecimal.
    package static func randomID() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
