// One object against its manifest: first what HEAD says, then, when it is asked for, every byte of it. The first thing
// that is wrong is named and nothing that follows from it.

import AWS
import Batching
import CivilTime
import Crypto
import Diagnostics
import Gzip

/// One object with the batch that it belongs to.
struct ObjectTask: Sendable {
    var object: BatchManifest.Object
    var shard: String
    var first: SequenceNumber
    var last: SequenceNumber
    /// Download it and look at its rows.
    var isRead: Bool
}

struct ObjectOutcome: Sendable {
    var kind: FindingKind?
    var detail = ""
    /// Of the rows; nil when the object was not read to its end.
    var totals: RowTotals?
    var bytesRead = 0
    /// It lies in an archive storage class and could not be read.
    var isArchived = false

    static func wrong(_ kind: FindingKind, _ detail: String) -> ObjectOutcome {
        ObjectOutcome(kind: kind, detail: detail)
    }
}

struct ObjectCheck: Sendable {
    /// Objects are downloaded in parts of this many bytes, so that memory does not grow with them.
    static let partBytes = 8 << 20

    let s3: S3Client
    let calls: PatientCalls

    /// Throws only what keeps it from telling.
    func check(_ task: ObjectTask) async throws -> ObjectOutcome {
        guard let head = try await calls.patiently({ try await s3.headObject(key: task.object.key) }) else {
            return .wrong(.objectMissing, "its manifest names it, and it is not there")
        }
        if let outcome = judge(head, task) { return outcome }
        return task.isRead ? try await read(task, head) : ObjectOutcome()
    }

    private func judge(_ head: ObjectHead, _ task: ObjectTask) -> ObjectOutcome? {
        let object = task.object
        guard head.length == object.bytes else {
            return .wrong(.objectSize, "it has \(head.length) bytes, its manifest says \(object.bytes)")
        }
        typealias Key = ObjectUpload.MetadataKey
        for (name, right) in [(Key.sha256, object.sha256), (Key.rowsSHA256, object.rowsSHA256)]
        where head.metadata[name] != right {
            let found = head.metadata[name].map { "says \($0)" } ?? "has no \(name)"
            return .wrong(.objectHash, "its metadata \(found), its manifest \(right)")
        }
        for (name, right) in [
            (Key.shard, task.shard), (Key.first, task.first.text), (Key.last, task.last.text),
            (Key.rows, String(object.rows)),
        ] where head.metadata[name] != right {
            return .wrong(
                .objectMetadata, "its metadata \(name) is \(head.metadata[name] ?? "missing"), its batch says \(right)")
        }
        return nil
    }

    private func read(_ task: ObjectTask, _ head: ObjectHead) async throws -> ObjectOutcome {
        let reading = try ObjectReading(task)
        var offset = 0
        while offset < task.object.bytes {
            let count = min(Self.partBytes, task.object.bytes - offset)
            let start = offset
            let part: ObjectPart?
            do {
                part = try await calls.patiently {
                    try await s3.getObjectPart(key: task.object.key, offset: start, count: count, etag: head.etag)
                }
            } catch let error as AWSError where error.code == "InvalidObjectState" {
                return ObjectOutcome(isArchived: true)
            }
            guard let part else { return .wrong(.objectMissing, "it went away while it was read") }
            guard part.length == task.object.bytes, part.bytes.count == count else {
                return .wrong(.objectSize, "it has \(part.length) bytes, its manifest says \(task.object.bytes)")
            }
            part.bytes.withUnsafeBytes { reading.add($0) }
            offset += count
        }
        return reading.outcome()
    }
}

/// Takes an object's bytes as they come. Not Sendable: it lives in one call.
final class ObjectReading {
    private let task: ObjectTask
    private let inflater: MemberInflater
    private let rows: RowCheck
    private var objectHash = SHA256()
    private var rowsHash = SHA256()
    private var rowsBytes = 0
    private var bytesRead = 0
    private var gzipFault: String?

    /// More rows than the manifest says: what follows is not looked at.
    private struct Overflow: Error {}

    init(_ task: ObjectTask) throws(GzipError) {
        self.task = task
        inflater = try MemberInflater()
        rows = RowCheck(shard: task.shard, first: task.first, last: task.last)
    }

    func add(_ bytes: UnsafeRawBufferPointer) {
        objectHash.update(bufferPointer: bytes)
        bytesRead += bytes.count
        guard gzipFault == nil, rowsBytes <= task.object.rowsBytes else { return }
        do {
            try inflater.unpack(bytes) { piece in
                rowsHash.update(bufferPointer: piece)
                rowsBytes += piece.count
                if rowsBytes > task.object.rowsBytes { throw Overflow() }
                rows.add(piece)
            }
        } catch is Overflow {
            return
        } catch let error as GzipError {
            gzipFault = error.diagnostic.cause
        } catch {
            gzipFault = "\(error)"
        }
    }

    func outcome() -> ObjectOutcome {
        var outcome = ObjectOutcome()
        outcome.bytesRead = bytesRead
        (outcome.kind, outcome.detail) = verdict()
        if outcome.kind == nil { outcome.totals = rows.totals }
        return outcome
    }

    private func verdict() -> (FindingKind?, String) {
        let object = task.object
        guard hex(objectHash.finalize()) == object.sha256 else {
            return (.objectHash, "the SHA-256 of its bytes is another than its manifest and its metadata say")
        }
        if rowsBytes <= object.rowsBytes {
            if gzipFault == nil, !inflater.hasEnded { gzipFault = "the data ends before the gzip member does" }
            if let gzipFault { return (.objectGzip, "it is not one whole gzip member: \(gzipFault)") }
        }
        guard rowsBytes == object.rowsBytes, hex(rowsHash.finalize()) == object.rowsSHA256 else {
            return (.rowsHash, "its rows are not those of its manifest (length or SHA-256)")
        }
        rows.finish()
        let totals = rows.totals
        guard totals.rows == object.rows else {
            return (.rowCount, "it has \(totals.rows) rows, its manifest says \(object.rows)")
        }
        if let fault = rows.fault { return (fault.kind, fault.detail) }
        guard totals.firstEvent == object.firstEvent, totals.lastEvent == object.lastEvent else {
            return (.rowSchema, "its rows have another first or last event_time than its manifest says")
        }
        return (nil, "")
    }
}
