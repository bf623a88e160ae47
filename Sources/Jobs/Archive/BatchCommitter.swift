// The commit order of one batch: intent, objects, manifest, checkpoint, spool. Each step may be the last one before
// a crash; the next run starts over with the intent, and every step that already happened is recognised.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

/// Stores sealed batches, one at a time for each shard.
struct BatchCommitter: Sendable {
    /// Uploads of one batch that run side by side.
    static let uploadsMax = 4

    let dependencies: ArchiveDependencies
    let store: any StateStore
    var guardian: any CommitGuard
    let spool: SpoolDirectory
    let upload: ObjectUpload
    let controlPrefix: String

    /// Writes the plan down, then carries it out.
    /// - Returns: the intent as stored.
    func commit(_ intent: BatchIntent) async throws -> BatchIntent {
        try await claim(intent)
        try dependencies.failpoints.hit(.intentBefore)
        try await store.saveIntent(intent)
        try dependencies.failpoints.hit(.intentAfter)
        return try await carryOut(intent)
    }

    /// Carries out a plan that is written down. The files it names must be in the spool and whole.
    func carryOut(_ intent: BatchIntent) async throws -> BatchIntent {
        try await claim(intent)
        var stored = intent
        stored.objects = try await uploadAll(intent)
        return try await conclude(stored)
    }

    /// The last steps, once all objects of `stored` are in S3 as it describes them.
    func conclude(_ stored: BatchIntent) async throws -> BatchIntent {
        try await claim(stored)
        let manifest = BatchManifest(intent: stored)
        let key = manifest.key(controlPrefix: controlPrefix)
        try dependencies.failpoints.hit(.manifestBefore)
        try await dependencies.patiently { try await upload.upload(manifest: manifest, key: key) }
        try dependencies.failpoints.hit(.manifestAfter)
        try dependencies.failpoints.hit(.commitBefore)
        try await store.commit(stored, manifestKey: key)
        try dependencies.failpoints.hit(.commitAfter)
        try dependencies.failpoints.hit(.spoolRemoveBefore)
        for object in stored.objects { try spool.remove(object.spoolFile) }
        try dependencies.failpoints.hit(.spoolRemoveAfter)
        return stored
    }

    private func claim(_ intent: BatchIntent) async throws {
        try dependencies.failpoints.hit(.claimBefore)
        try await guardian.claim(intent)
        try dependencies.failpoints.hit(.claimAfter)
    }

    private func uploadAll(_ intent: BatchIntent) async throws -> [BatchObject] {
        try await withThrowingTaskGroup(of: (Int, BatchObject).self) { group in
            var objects = intent.objects
            var next = 0
            func start(_ index: Int) {
                let object = intent.objects[index]
                group.addTask {
                    try dependencies.failpoints.hit(.objectBefore)
                    let settled = try await dependencies.patiently {
                        try await upload.upload(object, of: intent, from: spool.path(of: object.spoolFile))
                    }
                    try dependencies.failpoints.hit(.objectAfter)
                    return (index, settled)
                }
            }
            while next < min(Self.uploadsMax, objects.count) {
                start(next)
                next += 1
            }
            while let (index, settled) = try await group.next() {
                objects[index] = settled
                if next < objects.count {
                    start(next)
                    next += 1
                }
            }
            return objects
        }
    }
}
