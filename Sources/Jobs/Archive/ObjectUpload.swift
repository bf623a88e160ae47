// One conditional PUT, and what a 412 means: our own earlier try (a lost answer, a crash) or somebody else's object.
// Nothing is ever overwritten.

import AWS
import Batching
import Diagnostics
import HTTP

/// Uploads the objects and the manifest of one batch.
struct ObjectUpload: Sendable {
    enum MetadataKey {
        static let shard = "sluice-shard"
        static let first = "sluice-first"
        static let last = "sluice-last"
        static let rows = "sluice-rows"
        static let sha256 = "sluice-sha256"
        static let rowsSHA256 = "sluice-rows-sha256"
    }

    let s3: S3Client
    let bucket: String
    let attributes: ObjectAttributes

    /// What now stands under the key: the description given, or, when an earlier try of the same batch was compressed
    /// by another engine, that try's size and hash.
    func upload(_ object: BatchObject, of intent: BatchIntent, from path: String) async throws -> BatchObject {
        let outcome = try await s3.putObject(
            key: object.key, body: .file(path: path, length: object.bytes), sha256: object.sha256,
            contentType: "application/gzip",
            metadata: [
                (MetadataKey.shard, intent.shard), (MetadataKey.first, intent.first.text),
                (MetadataKey.last, intent.last.text), (MetadataKey.rows, String(object.rows)),
                (MetadataKey.sha256, object.sha256), (MetadataKey.rowsSHA256, object.rowsSHA256),
            ],
            condition: .ifAbsent, attributes: attributes)
        switch outcome {
        case .stored: return object
        case .preconditionFailed:
            guard let settled = try await existing(object, of: intent) else { throw conflict(object.key) }
            return settled
        }
    }

    /// The object under the key if it is this batch's own: equal bytes, or equal rows of the same range. Nil when
    /// nothing is there or it is something else.
    func existing(_ object: BatchObject, of intent: BatchIntent) async throws -> BatchObject? {
        guard case .same(let settled, _) = try await standing(object, of: intent) else { return nil }
        return settled
    }

    enum Standing {
        case nothing
        /// This batch's own, as it lies there; `last` is that of the batch that it was stored for.
        case same(BatchObject, last: SequenceNumber?)
        /// Something else; `last` when it is of a batch that begins with the same record.
        case other(last: SequenceNumber?)
    }

    /// What lies under the key of the object now.
    func standing(_ object: BatchObject, of intent: BatchIntent) async throws -> Standing {
        guard let head = try await s3.headObject(key: object.key) else { return .nothing }
        let metadata = head.metadata
        let last = metadata[MetadataKey.last].flatMap(SequenceNumber.init)
        if metadata[MetadataKey.sha256] == object.sha256, head.length == object.bytes {
            return .same(object, last: last)
        }
        guard metadata[MetadataKey.shard] == intent.shard, metadata[MetadataKey.first] == intent.first.text else {
            return .other(last: nil)
        }
        guard metadata[MetadataKey.rowsSHA256] == object.rowsSHA256,
            metadata[MetadataKey.rows] == String(object.rows), metadata[MetadataKey.last] == intent.last.text,
            let hash = metadata[MetadataKey.sha256]
        else { return .other(last: last) }
        var settled = object
        settled.sha256 = hash
        settled.bytes = head.length
        return .same(settled, last: last)
    }

    /// The manifest makes the batch count. An equal one is our own earlier try.
    func upload(manifest: BatchManifest, key: String) async throws {
        let bytes = try manifest.canonicalBytes()
        // Manifests are read again; an archive class would put them out of reach.
        var attributes = attributes
        attributes.storageClass = nil
        let outcome = try await s3.putObject(
            key: key, body: .bytes(bytes), sha256: sha256Hex(bytes), contentType: "application/json", metadata: [],
            condition: .ifAbsent, attributes: attributes)
        guard outcome == .preconditionFailed else { return }
        let found = try await s3.getObject(key: key, bytesMax: BatchManifest.bytesMax)
        guard let found, try BatchManifest.decode(found.bytes).describesSameBatch(as: manifest) else {
            throw conflict(key)
        }
    }

    func conflict(_ key: String) -> ArchiveError {
        ArchiveError(
            "put object", "s3://\(bucket)/\(key)", "another object stands under this key and is not replaced",
            hint: "find out who writes below this prefix; two jobs must not share prefix and control_prefix",
            exitCode: .destinationConflict)
    }
}
