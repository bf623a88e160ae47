// What the ship tests share: a stream that can refuse, a clock that runs when waited for, files in a folder of their
// own.
import AWS
import CivilTime
import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import Jobs

/// Stores what it is given, unless a step of its plan says otherwise.
final class FakeStream: RecordSink {
    enum Step: Sendable {
        case store
        /// Refuses the entries at these places of the request.
        case refuse([Int])
        /// Fails the whole request; nothing is stored.
        case fail(AWSError)
        /// Stores everything, and the answer is lost.
        case storeAndLoseAnswer
    }
    struct Stored: Equatable, Sendable {
        var data: [UInt8]
        var key: String
    }

    private struct Content {
        var steps: [Step]
        var stored: [Stored] = []
        var requests: [PutRecordsBatch] = []
        var beforeRequest: (@Sendable (Int) -> Void)?
    }
    private let content: Mutex<Content>

    init(_ steps: [Step] = [], beforeRequest: (@Sendable (Int) -> Void)? = nil) {
        content = Mutex(Content(steps: steps, beforeRequest: beforeRequest))
    }

    var stored: [Stored] { content.withLock { $0.stored } }
    var requests: [PutRecordsBatch] { content.withLock { $0.requests } }
    var lines: [String] { stored.map { String(decoding: $0.data, as: UTF8.self) } }

    func putRecords(
        stream: String, batch: PutRecordsBatch, freshConnection: Bool
    ) async throws(AWSError) -> PutRecordsAnswer {
        let (step, number, hook) = content.withLock { content in
            content.requests.append(batch)
            let step = content.steps.isEmpty ? Step.store : content.steps.removeFirst()
            return (step, content.requests.count, content.beforeRequest)
        }
        hook?(number)
        var refused: Set<Int> = []
        switch step {
        case .fail(let error): throw error
        case .refuse(let places): refused = Set(places)
        case .store, .storeAndLoseAnswer: break
        }
        var answer = PutRecordsAnswer()
        for place in 0..<batch.count {
            if refused.contains(place) {
                answer.failures.append(
                    PutRecordsAnswer.Failure(
                        index: place, code: "ProvisionedThroughputExceededException", message: "Rate exceeded"))
            } else {
                content.withLock {
                    $0.stored.append(Stored(data: Array(batch.data(place)), key: batch.partitionKey(place)))
                }
                answer.storedCount += 1
                answer.storedByShard["shardId-000000000000", default: 0] += 1
            }
        }
        if case .storeAndLoseAnswer = step { throw transientError }
        return answer
    }
}

let transientError = AWSError(
    operation: "put records to", subject: "s", status: 500, code: "InternalFailure", message: "", category: .transient)

func refusal(_ category: AWSErrorCategory) -> AWSError {
    AWSError(operation: "put records to", subject: "s", status: 400, code: "No", message: "", category: category)
}

/// A clock that jumps ahead when someone waits.
final class JumpingClock: TimeSource {
    private let nanoseconds = Mutex<UInt64>(1)

    /// The real time, so that files that were just written are young.
    func now() -> Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
    func monotonicNanoseconds() -> UInt64 { nanoseconds.withLock { $0 } }
    func sleep(for duration: Duration) async throws { advance(duration) }
    func advance(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        nanoseconds.withLock { $0 += UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000) }
    }
}

final class EventList: JobEvents {
    private let list = Mutex<[(EventLevel, String)]>([])
    func event(_ level: EventLevel, _ message: String, _ fields: [(String, String)]) {
        list.withLock { $0.append((level, message)) }
    }
    func progress(_ snapshot: ProgressSnapshot) {}
    func messages(_ level: EventLevel) -> [String] { list.withLock { $0.filter { $0.0 == level }.map(\.1) } }
}

/// A folder with logs and state, removed at the end.
final class Workspace {
    let folder: String
    let clock = JumpingClock()
    let events = EventList()
    var stop = StopSignal()

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sluice-ship-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func write(_ text: String, to name: String = "drupal.log") throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
    }

    /// In place: same inode.
    func append(_ text: String, to name: String = "drupal.log") throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func truncate(_ name: String = "drupal.log", to size: UInt64 = 0) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path(name)))
        try handle.truncate(atOffset: size)
        try handle.close()
    }

    func rename(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: path(name), toPath: path(other))
    }

    func jobFile(
        files: [String] = ["drupal.log"], stream: String = "s", _ change: (inout ShipJobFile) -> Void = { _ in }
    )
        -> ShipJobFile
    {
        var file = ShipJobFile(
            path: "jobs/ship.yaml", name: "ship", files: files.map { path($0) },
            destination: ShipJobFile.Destination(stream: StreamReference(name: stream, region: "us-east-1")),
            stateDirectory: path("state"))
        change(&file)
        return file
    }

    @discardableResult
    func ship(
        _ stream: any RecordSink, _ file: ShipJobFile? = nil, failpoints: Failpoints = Failpoints()
    ) async -> ShipReport {
        let dependencies = ShipDependencies(
            kinesis: stream, time: clock, events: events, stop: stop, random: { 0.5 }, hostName: "web1",
            failpoints: failpoints)
        return await ShipJob(file: file ?? jobFile(), mode: .once, dependencies: dependencies).run()
    }

    /// What the position file says now.
    var positions: ShipPositions {
        get throws { try PositionFile(directory: path("state")).load(job: "ship", stream: "s") }
    }
}

/// Numbers that a seed decides; the same on every machine.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
