// Stand-ins and samples that several suites share.

import AWS
import Batching
import CivilTime
import Diagnostics
import Foundation
import State
import Synchronization
import Testing

/// Fails one call, before it takes effect or after ("done, but no answer").
struct FaultPlan: Sendable, CustomStringConvertible {
    enum Moment: CaseIterable { case before, after }
    /// 1 for the first call.
    var call: Int
    var moment: Moment
    var description: String { "call \(call) fails \(moment)" }
}

struct InjectedFailure: DiagnosticError {
    var diagnostic: Diagnostic { Diagnostic(operation: "call", subject: "fake", cause: "injected") }
    var exitCode: ExitCode { .temporary }
    var isTransient: Bool { true }
}

/// Counts calls and fails one of them.
final class FaultInjector: Sendable {
    private let calls = Mutex(0)
    let plan: FaultPlan?

    init(_ plan: FaultPlan? = nil) { self.plan = plan }

    var count: Int { calls.withLock { $0 } }

    func around<T>(_ effect: () throws -> T) throws -> T {
        let call = calls.withLock { count in
            count += 1
            return count
        }
        if call == plan?.call, plan?.moment == .before { throw InjectedFailure() }
        let result = try effect()
        if call == plan?.call, plan?.moment == .after { throw InjectedFailure() }
        return result
    }
}

/// An object store in memory with conditional PUT.
final class FakeControlStore: ControlStore {
    private struct Object { var bytes: [UInt8], etag: String }
    private struct Content { var objects: [String: Object] = [:], writes = 0 }
    private let content = Mutex(Content())
    private let faults: Mutex<FaultInjector>
    private let pageSize: Int
    private let givesETags: Bool

    init(pageSize: Int = 3, givesETags: Bool = true) {
        self.pageSize = pageSize
        self.givesETags = givesETags
        faults = Mutex(FaultInjector())
    }

    /// Another store with the same objects.
    func copy() -> FakeControlStore {
        let other = FakeControlStore(pageSize: pageSize, givesETags: givesETags)
        let objects = content.withLock { $0 }
        other.content.withLock { $0 = objects }
        return other
    }

    var writes: Int { content.withLock { $0.writes } }
    var calls: Int { faults.withLock { $0.count } }

    /// From here on calls are counted anew and fail by `plan`.
    func inject(_ plan: FaultPlan?) { faults.withLock { $0 = FaultInjector(plan) } }

    func bytes(_ key: String) -> [UInt8]? { content.withLock { $0.objects[key]?.bytes } }
    func remove(_ key: String) { content.withLock { _ = $0.objects.removeValue(forKey: key) } }
    func set(_ key: String, _ bytes: [UInt8]) { content.withLock { Self.write(key, bytes, &$0) } }

    private static func write(_ key: String, _ bytes: [UInt8], _ content: inout Content) {
        content.writes += 1
        content.objects[key] = Object(bytes: bytes, etag: "\"\(content.writes)\"")
    }

    func get(key: String, bytesMax: Int) async throws -> ControlDocument? {
        try faults.withLock { $0 }.around {
            content.withLock { content in
                content.objects[key].map { ControlDocument(bytes: $0.bytes, etag: givesETags ? $0.etag : nil) }
            }
        }
    }

    func put(key: String, bytes: [UInt8], condition: PutCondition) async throws -> PutOutcome {
        try faults.withLock { $0 }.around {
            content.withLock { content in
                let holds =
                    switch condition {
                    case .none: true
                    case .ifAbsent: content.objects[key] == nil
                    case .ifMatch(let etag): content.objects[key]?.etag == etag
                    }
                guard holds else { return PutOutcome.preconditionFailed }
                Self.write(key, bytes, &content)
                return .stored(etag: nil)
            }
        }
    }

    func list(prefix: String, startAfter: String?) async throws -> [String] {
        try faults.withLock { $0 }.around {
            content.withLock { content in
                let keys = content.objects.keys.filter { $0.hasPrefix(prefix) && $0 > startAfter ?? "" }
                return Array(keys.sorted().prefix(pageSize))
            }
        }
    }
}

/// A directory of its own for each test, removed at the end.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var state: StateDirectory { StateDirectory(path) }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: name.isEmpty ? path : "\(path)/\(name)")
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    func copy(to other: TemporaryDirectory) throws {
        for name in names {
            try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: "\(other.path)/\(name)")
        }
    }
}

let sampleTime = Timestamp(milliseconds: 1_732_307_465_250)
let sampleControlPrefix = "_sluice/drupal/"

func sampleIdentity(_ change: (inout StateIdentity) -> Void = { _ in }) -> StateIdentity {
    var identity = StateIdentity(
        job: "drupal", stream: "logs", streamARN: "arn:aws:kinesis:us-east-1:123456789012:stream/logs",
        streamCreation: Timestamp(milliseconds: 1_700_000_000_123), bucket: "acme-logs",
        controlPrefix: sampleControlPrefix)
    change(&identity)
    return identity
}

func openStore(_ directory: TemporaryDirectory, stateID: String = "state-1") throws -> SQLiteStateStore {
    try SQLiteStateStore.open(directory: directory.state, identity: sampleIdentity(), newStateID: stateID)
}

func sequence(_ number: Int) throws -> SequenceNumber { try #require(SequenceNumber(String(number))) }

/// A batch of the records `range` on `shard`, with `objectCount` objects.
func sampleIntent(
    _ shard: String, _ range: ClosedRange<Int>, previous: String? = nil, objectCount: Int = 1,
    parents: [String] = [], horizon: Timestamp? = nil
) throws -> BatchIntent {
    let first = try sequence(range.lowerBound)
    let hash = String(repeating: "ab", count: 32)
    return BatchIntent(
        job: "drupal", stream: "logs", streamCreation: sampleIdentity().streamCreation, shard: shard,
        parents: parents, first: first, last: try sequence(range.upperBound), records: range.count,
        previousManifest: previous,
        objects: (0..<objectCount).map { index in
            BatchObject(
                key: objectKey(prefix: "d/s=\(index)/", stream: "logs", shard: shard, first: first), rows: 1,
                bytes: 100, rowsBytes: 500, sha256: hash, rowsSHA256: hash, spoolFile: "\(index).gz",
                firstEvent: sampleTime, lastEvent: sampleTime, partition: "d/s=\(index)/")
        },
        firstArrival: sampleTime, lastArrival: sampleTime, firstEvent: sampleTime, lastEvent: sampleTime,
        statusCounts: ["ok": objectCount], horizon: horizon,
        settings: BatchSettings(
            transform: .object([:]), prefix: "d/s={site}/", partitionTime: "arrival", gzipLevel: 6,
            gzipEngine: "zlib 1.2.13", chunkBytes: 131_072),
        createdBy: "sluice 0.1.0")
}

func manifestKey(_ intent: BatchIntent) -> String {
    BatchManifest(intent: intent).key(controlPrefix: sampleControlPrefix)
}

/// What an error must be.
func expectError<T>(
    _ kind: StateError.Kind, exit code: ExitCode, says words: String..., hint: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> T
) {
    do {
        _ = try body()
        Issue.record("no error, expected \(kind)", sourceLocation: sourceLocation)
    } catch let error as StateError {
        check(error, kind, code, words, hint, sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}

func check(
    _ error: StateError, _ kind: StateError.Kind, _ code: ExitCode, _ words: [String], _ hint: String?,
    _ sourceLocation: SourceLocation
) {
    #expect(error.kind == kind, "\(error.diagnostic.summary)", sourceLocation: sourceLocation)
    #expect(error.exitCode == code, sourceLocation: sourceLocation)
    for word in words {
        #expect(error.diagnostic.cause.contains(word), "\(error.diagnostic.cause)", sourceLocation: sourceLocation)
    }
    if let hint {
        let text = error.diagnostic.hint ?? "none"
        #expect(text.contains(hint), "hint: \(text)", sourceLocation: sourceLocation)
    }
}
