// The claims of one shard in S3, as one backfill sees and changes them. Order, for each batch: read the ledger, then
// list the manifests beside the hole, then replace the ledger on the condition that it has not changed. A batch of
// somebody else that appeared before the listing is seen in it; one that is still under way has its claim in the ledger;
// one that was claimed since makes the replacement fail. So claims never overlap, whoever else is at work.

import AWS
import Batching
import Diagnostics
import State

/// Somebody else has claimed or committed records of this batch: the shard must be planned anew.
struct RangeTaken: Error {}

actor RangeClaims: CommitGuard {
    /// Tries to replace a ledger that others change at the same time.
    static let attemptsMax = 100

    let shard: String
    private let objects: any ControlStore
    private let identity: StateIdentity
    private let dependencies: ArchiveDependencies
    private let key: String

    /// Key of the manifest before the hole that is filled now.
    private var after: String?
    private var held: SequenceNumber?
    /// Batches that are known to be committed, and what was found by reading: written with the next change.
    private var committed: Set<SequenceNumber> = []
    private var joined: [BackfillLedger.Joined] = []

    init(shard: String, objects: any ControlStore, identity: StateIdentity, dependencies: ArchiveDependencies) {
        self.shard = shard
        self.objects = objects
        self.identity = identity
        self.dependencies = dependencies
        key = BackfillLedger.key(
            controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation, shard: shard)
    }

    /// Says where the next batch belongs: directly after this manifest, or before the shard's first.
    func aim(after manifest: String?) {
        after = manifest
        held = nil
    }

    func noteCommitted(_ first: SequenceNumber) { committed.insert(first) }

    func noteJoined(after: SequenceNumber, before: SequenceNumber) {
        joined.append(BackfillLedger.Joined(after: after, before: before))
    }

    /// Claims all records of the batch. Throws `RangeTaken` when somebody else has some of them.
    func claim(_ intent: BatchIntent) async throws {
        if held == intent.first { return }
        let claim = BackfillLedger.Claim(id: dependencies.newID(), intent: intent)
        let failure = "claim records \(intent.first.text) to \(intent.last.text)"
        try await change(failure) { ledger in
            if ledger.claims.contains(where: { $0.id == claim.id }) { return false }
            _ = ledger.settle(committed: committed, joined: joined)
            if ledger.claim(touching: intent.first, through: intent.last) != nil { throw RangeTaken() }
            if try await isCommitted(after: after, through: intent.last) { throw RangeTaken() }
            guard ledger.claims.count < BackfillLedger.claimsMax else {
                throw ArchiveError(
                    "claim records", shard, "\(ledger.claims.count) batches of it are claimed and not finished",
                    hint: "wait until the other backfills of this job have ended, then run again",
                    exitCode: .temporary)
            }
            ledger.add(claim)
            return true
        }
        held = intent.first
    }

    /// Claims that are not finished, as they stand now.
    func open() async throws -> [BackfillLedger.Claim] { try await read().ledger.claims }

    /// Writes down which claims are finished and what was found; nothing when that is known already.
    func settle() async throws {
        guard !committed.isEmpty || !joined.isEmpty else { return }
        try await change("settle claims") { ledger in ledger.settle(committed: committed, joined: joined) }
        committed = []
        joined = []
    }

    /// The manifest of a claimed batch, if it is there.
    func manifest(of intent: BatchIntent) async throws -> BatchManifest? {
        let key = BatchManifest(intent: intent).key(controlPrefix: identity.controlPrefix)
        let document = try await dependencies.patiently {
            try await objects.get(key: key, bytesMax: BatchManifest.bytesMax)
        }
        return try document.map { try BatchManifest.decode($0.bytes) }
    }

    /// True when a manifest begins after the hole's beginning and not after the batch.
    private func isCommitted(after: String?, through last: SequenceNumber) async throws -> Bool {
        let prefix =
            ManifestKey.prefix(controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
            + "\(shard)/"
        let keys = try await dependencies.patiently { try await objects.list(prefix: prefix, startAfter: after) }
        for text in keys {
            let place = ManifestKey(
                text, controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
            if let place { return place.first <= last }
        }
        return false
    }

    /// Replaces the ledger by what `edit` makes of it, as often as it takes; nothing when `edit` says false.
    private func change(_ operation: String, _ edit: (inout BackfillLedger) async throws -> Bool) async throws {
        for _ in 0..<Self.attemptsMax {
            var (ledger, condition) = try await read()
            guard try await edit(&ledger) else { return }
            let bytes = try ledger.canonicalBytes()
            let outcome = try await dependencies.patiently {
                try await objects.put(key: key, bytes: bytes, condition: condition)
            }
            if case .stored = outcome { return }
            // Somebody else was quicker, or it is our own change whose answer was lost: reading tells.
        }
        throw ArchiveError(
            operation, "s3://\(identity.bucket)/\(key)", "others changed it \(Self.attemptsMax) times in between",
            hint: "run fewer backfills of this job at the same time", exitCode: .temporary, isTransient: true)
    }

    private func read() async throws -> (ledger: BackfillLedger, condition: PutCondition) {
        let document = try await dependencies.patiently {
            try await objects.get(key: key, bytesMax: BackfillLedger.bytesMax)
        }
        guard let document else {
            let empty = BackfillLedger(
                job: identity.job, stream: identity.stream, streamCreation: identity.streamCreation, shard: shard)
            return (empty, .ifAbsent)
        }
        let ledger = try BackfillLedger.decode(document.bytes)
        guard ledger.job == identity.job, ledger.stream == identity.stream, ledger.shard == shard,
            ledger.streamCreation == identity.streamCreation
        else {
            throw DocumentError(
                operation: "read", subject: "s3://\(identity.bucket)/\(key)",
                cause: "it belongs to another job, stream or shard", hint: "give each job its own control_prefix")
        }
        guard let etag = document.etag else {
            throw StateError(
                .ownership, "claim records", "s3://\(identity.bucket)/\(key)",
                "the object store gave no ETag, so it cannot be replaced safely",
                hint: "the store must support conditional PUT (If-Match)")
        }
        return (ledger, .ifMatch(etag))
    }
}

/// For batches whose claim is known to stand.
struct StandingClaim: CommitGuard {
    func claim(_ intent: BatchIntent) async throws {}
}
