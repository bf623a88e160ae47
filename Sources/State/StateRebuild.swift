// Makes lost or damaged state anew from S3: positions from the manifests, the start of the first run from the owner
// marker. The new state takes the bucket over, so an old one that turns up again is refused from then on.

import AWS
package import Batching
import Diagnostics
import GRDB
import Glibc

package struct StateRebuild: Sendable {
    private let objects: any ControlStore
    private let directory: StateDirectory
    private let identity: StateIdentity
    private let newID: @Sendable () -> String

    package struct Report: Sendable, Equatable {
        package var shards: [ShardState]
        package var manifestCount: Int
        package var generation: Int64
        /// Where the state that was replaced lies now; nil when there was none.
        package var replaced: String?
    }

    /// The directory must be prepared and the job's lock held.
    package init(
        objects: any ControlStore, directory: StateDirectory, identity: StateIdentity,
        newID: @escaping @Sendable () -> String = { OwnerGuard.randomID() }
    ) {
        self.objects = objects
        self.directory = directory
        self.identity = identity
        self.newID = newID
    }

    /// - Parameter force: replace a state that is whole, or that belongs to an earlier stream of the same name.
    package func run(force: Bool) async throws -> Report {
        try refuseHealthyState(force: force)
        let markerKey = OwnerMarker.key(controlPrefix: identity.controlPrefix)
        let document = try await objects.get(key: markerKey, bytesMax: OwnerMarker.bytesMax)
        let marker = try document.map { try OwnerMarker.decode($0.bytes) }
        let start = try usableStart(marker, force: force)
        let survey = try await ManifestSurvey(objects: objects, identity: identity).run(start: start)
        guard marker != nil || survey.manifestCount > 0 else {
            throw StateError(
                .missing, "rebuild state", "s3://\(identity.bucket)/\(identity.controlPrefix)",
                "there is neither an owner marker nor a manifest",
                hint: "look at bucket and control_prefix in the job file; a job that never ran needs no rebuild")
        }
        let claim = OwnerClaim(generation: (marker?.generation ?? 0) + 1, id: newID())
        let stateID = newID()
        try makeFile(survey, OwnerRecord(stateID: stateID, claim: claim, start: start))
        // After this the old state is refused; a crash before the rename is mended by another rebuild.
        try await takeOver(
            OwnerMarker(
                job: identity.job, stream: identity.stream, streamARN: identity.streamARN,
                streamCreation: identity.streamCreation, stateID: stateID, generation: claim.generation,
                claimID: claim.id, start: start),
            key: markerKey, condition: try condition(document))
        let replaced = try moveAside()
        try SQLiteStateStore.install(directory)
        return Report(
            shards: survey.shards, manifestCount: survey.manifestCount, generation: claim.generation,
            replaced: replaced)
    }

    /// The state in the directory; nil when there is none or when it is damaged and may be replaced without asking.
    private func existing(force: Bool) throws -> SQLiteStateStore? {
        guard try directory.examine(directory.databasePath, "state") != nil else { return nil }
        do {
            return try SQLiteStateStore.openExisting(directory: directory)
        } catch {
            let isReplaceable = error.kind == .corrupt || (force && (error.kind == .foreign || error.kind == .newer))
            guard isReplaceable else { throw error }
            return nil
        }
    }

    private func refuseHealthyState(force: Bool) throws {
        guard let found = try existing(force: force) else { return }
        if found.identity.job != identity.job, let mismatch = identity.mismatch(with: found.identity) {
            throw StateError(
                .identity, "rebuild state", directory.databasePath, mismatch.cause, hint: mismatch.hint)
        }
        // A state that never stored anything: a run made it after the old one was lost, and was refused at the marker.
        let owner = try found.owner()
        if owner.claim == nil, owner.pending == nil, try found.openIntents().isEmpty { return }
        guard force else {
            throw StateError(
                .ownership, "rebuild state", directory.databasePath, "the state is whole",
                hint: "a rebuild takes the job over from every other host; if that is what you want, add --force")
        }
    }

    /// What the marker says of the first run, if the marker is of this job and stream.
    private func usableStart(_ marker: OwnerMarker?, force: Bool) throws -> StartSet? {
        guard let marker else { return nil }
        let stored = StateIdentity(
            job: marker.job, stream: marker.stream, streamARN: marker.streamARN,
            streamCreation: marker.streamCreation, bucket: identity.bucket, controlPrefix: identity.controlPrefix)
        guard let mismatch = identity.mismatch(with: stored) else { return marker.start }
        // Only a new stream of the same name may be gone over to: its manifests lie under another prefix.
        if force, stored.job == identity.job, stored.streamARN == identity.streamARN { return nil }
        throw StateError(
            .identity, "rebuild state",
            "s3://\(identity.bucket)/\(OwnerMarker.key(controlPrefix: identity.controlPrefix))",
            mismatch.cause, hint: mismatch.hint)
    }

    private func makeFile(_ survey: ManifestSurvey.Result, _ owner: OwnerRecord) throws {
        try SQLiteFile.make(at: SQLiteStateStore.temporaryPath(directory), identity: identity) { database in
            try database.execute(
                sql: "INSERT INTO owner (only, state_id, generation, claim_id, start) VALUES (1, ?, ?, ?, ?)",
                arguments: [
                    owner.stateID, owner.claim?.generation, owner.claim?.id,
                    try owner.start.map { try StoredJSON.encode($0) },
                ])
            try SQLiteStateStore.insert(survey.shards, database)
            for (shard, arrival) in survey.lastArrivals {
                var tally = ShardTally()
                tally.lastArrival = arrival
                try SQLiteStateStore.store(tally, of: shard, database)
            }
        }
    }

    private func condition(_ document: ControlDocument?) throws -> PutCondition {
        guard let document else { return .ifAbsent }
        guard let etag = document.etag else {
            throw StateError(
                .ownership, "take over owner marker", identity.bucket,
                "the object store gave no ETag, so it cannot be replaced safely",
                hint: "the store must support conditional PUT (If-Match)")
        }
        return .ifMatch(etag)
    }

    private func takeOver(_ marker: OwnerMarker, key: String, condition: PutCondition) async throws {
        let bytes = try marker.canonicalBytes()
        guard try await objects.put(key: key, bytes: bytes, condition: condition) == .preconditionFailed else { return }
        // Our own PUT whose answer was lost leaves exactly our bytes.
        guard try await objects.get(key: key, bytesMax: OwnerMarker.bytesMax)?.bytes == bytes else {
            throw StateError(
                .ownership, "take over owner marker", "s3://\(identity.bucket)/\(key)",
                "another run changed it at the same time",
                hint: "stop the job on every other host, then rebuild again")
        }
    }

    /// The old file and its journal stay together under another name: a journal left beside the new file would be
    /// taken for its own and destroy it.
    private func moveAside() throws -> String? {
        let path = directory.databasePath
        let aside = path + ".replaced"
        var moved = false
        for suffix in ["-journal", "-wal", "-shm", ""] {
            if rename(path + suffix, aside + suffix) == 0 {
                moved = true
            } else if errno != ENOENT {
                throw failure("move old state aside", path + suffix, errno)
            } else if unlink(aside + suffix) != 0, errno != ENOENT {
                throw failure("remove an older replaced state", aside + suffix, errno)
            }
        }
        try directory.sync()
        return moved ? aside : nil
    }
}
