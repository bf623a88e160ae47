// A machine that runs jobs against the fake cloud: a state directory, a clock, a network that loses answers, and an end
// that comes at any call.

import AWS
import CivilTime
import Diagnostics
import Foundation
import Gzip
import HTTP
import Synchronization

@testable import Batching
@testable import Jobs
@testable import Records

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

/// What befalls one process.
struct Fate: Sendable {
    /// The call at which the process ends; nil when it lives.
    var lastCall: Int?
    /// Whether that call still takes effect.
    var isLastCallEffective = false
    /// The process ends at its first PUT of a key with this in it, instead of at a number.
    var lastPut: String?
    /// One in so many answers is lost; 0 for none.
    var lostAnswers = 0
    /// The one call whose answer is lost.
    var lostCall: Int?
    var seed: UInt64 = 0

    static let lives = Fate()
}

/// One process's way to the cloud. Tasks of all processes take turns at every call.
final class FateTransport: HTTPTransport {
    private struct State {
        var random: SeededRandom
        var calls = 0
        var isOver = false
    }
    private let cloud: FakeCloud
    private let fate: Fate
    private let state: Mutex<State>

    init(_ cloud: FakeCloud, _ fate: Fate) {
        self.cloud = cloud
        self.fate = fate
        state = Mutex(State(random: SeededRandom(seed: fate.seed)))
    }

    var calls: Int { state.withLock { $0.calls } }
    var isOver: Bool { state.withLock { $0.isOver } }

    private enum Turn { case answer, lose, endBefore, endAfter, over }

    func perform(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        let (turn, waits) = state.withLock { state -> (Turn, Int) in
            state.calls += 1
            if state.isOver { return (.over, 0) }
            let waits = Int.random(in: 0...3, using: &state.random)
            let isLastPut =
                fate.lastPut.map { request.method == "PUT" && request.target.path.contains($0) } ?? false
            if state.calls == fate.lastCall || isLastPut {
                state.isOver = true
                return (fate.isLastCallEffective ? .endAfter : .endBefore, waits)
            }
            let isLost = fate.lostAnswers > 0 && Int.random(in: 0..<fate.lostAnswers, using: &state.random) == 0
            return (isLost || state.calls == fate.lostCall ? .lose : .answer, waits)
        }
        for _ in 0..<waits { await Task.yield() }
        switch turn {
        case .answer: return cloud.answer(request)
        case .lose:
            _ = cloud.answer(request)
            throw HTTPTransportError(kind: .receive, host: "fake", message: "the answer is lost")
        case .endAfter: _ = cloud.answer(request)
        case .endBefore, .over: break
        }
        throw HTTPTransportError(kind: .other, host: "fake", message: "the process has ended")
    }
}

/// Jumps ahead when someone waits; its wall clock is the cloud's.
final class CloudClock: TimeSource {
    private let cloud: FakeCloud
    private let nanoseconds = Mutex<UInt64>(1)
    init(_ cloud: FakeCloud) { self.cloud = cloud }
    func now() -> Timestamp { cloud.now }
    func monotonicNanoseconds() -> UInt64 { nanoseconds.withLock { $0 } }
    func sleep(for duration: Duration) async throws {
        let (seconds, attoseconds) = duration.components
        nanoseconds.withLock { $0 += UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000) }
        await Task.yield()
    }
}

struct SilentEvents: JobEvents {
    func event(_ level: EventLevel, _ message: String, _ fields: [(String, String)]) {}
    func progress(_ snapshot: ProgressSnapshot) {}
}

struct FixedKeys: CredentialProvider {
    func credentials() async throws -> Credentials {
        Credentials(accessKeyID: "AK", secretAccessKey: Secret("secret"), source: "test")
    }
    func invalidate(_ rejected: Credentials) async {}
}

final class FakeHost: Sendable {
    static let controlPrefix = "_sluice/test/"

    let folder: String
    let cloud: FakeCloud
    let start: ArchiveJobFile.StartPosition

    init(_ cloud: FakeCloud, start: ArchiveJobFile.StartPosition) throws {
        self.cloud = cloud
        self.start = start
        // Memory where there is some: a world makes thousands of durable transactions.
        let isRoomy = FileManager.default.isWritableFile(atPath: "/dev/shm")
        let parent = isRoomy ? URL(filePath: "/dev/shm") : FileManager.default.temporaryDirectory
        folder = parent.appending(path: "sluice-backfill-\(UUID().uuidString)").path(percentEncoded: false)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func file(sealRecords: Int) throws -> ArchiveJobFile {
        ArchiveJobFile(
            path: "job.yaml", name: "test",
            source: ArchiveJobFile.Source(
                stream: StreamReference(name: FakeCloud.stream, region: "us-east-1"), start: start, onGap: .stop,
                readRate: nil),
            transform: TransformSettings(format: .lines),
            destination: ArchiveJobFile.Destination(
                bucket: "bucket", region: "us-east-1", prefix: try PrefixTemplate("d/h={hour}/"),
                controlPrefix: Self.controlPrefix, partitionTime: .arrival, storageClass: nil, sse: nil,
                kmsKeyID: nil, tags: [:], expectedBucketOwner: nil, pathStyle: true),
            seal: ArchiveJobFile.Seal(bytes: 1 << 26, records: sealRecords, partitions: 500), gzipLevel: 1,
            gzipEngine: .auto,
            limits: ArchiveJobFile.Limits(runTime: .seconds(600), parallelShards: 3, memory: 512 << 20),
            stateDirectory: "\(folder)/state")
    }

    private func dependencies(_ transport: FateTransport) -> ArchiveDependencies {
        let time = CloudClock(cloud)
        let (kinesis, s3) = clients(transport)
        return ArchiveDependencies(
            kinesis: kinesis, s3: s3, time: time, events: SilentEvents(), stop: StopSignal(), random: { 0.5 },
            failpoints: Failpoints(), programVersion: "sluice test", newID: { UUID().uuidString })
    }

    private func clients(_ transport: FateTransport) -> (KinesisClient, S3Client) {
        let time = CloudClock(cloud)
        func client(_ name: String) -> AWSClient {
            AWSClient(
                transport: transport, credentials: FixedKeys(),
                endpoint: ServiceEndpoint(
                    scheme: "http", host: "127.0.0.1", port: 1, region: "us-east-1", signingName: name,
                    isCustom: true),
                time: time, random: { 0.5 })
        }
        return (
            KinesisClient(client: client("kinesis")),
            S3Client(
                client: client("s3"),
                destination: S3Destination(bucket: "bucket", region: "us-east-1", pathStyle: true))
        )
    }

    /// A run of the job itself.
    @discardableResult
    func archive(sealRecords: Int, fate: Fate = .lives) async throws -> RunReport {
        await ArchiveJob(
            file: try file(sealRecords: sealRecords), until: .now,
            dependencies: dependencies(FateTransport(cloud, fate))
        ).run()
    }

    /// - Returns: the report, and how many calls it took.
    func backfill(
        _ from: Timestamp, _ to: Timestamp, sealRecords: Int, isDryRun: Bool = false, fate: Fate = .lives
    ) async throws -> (report: BackfillReport, calls: Int, ended: Bool) {
        let transport = FateTransport(cloud, fate)
        let report = await BackfillJob(
            file: try file(sealRecords: sealRecords), from: from, to: to, isDryRun: isDryRun,
            dependencies: dependencies(transport)
        ).run()
        return (report, transport.calls, transport.isOver)
    }

    /// Loses the job's state and makes it anew from the manifests.
    /// - Returns: false when the manifests do not let it; the state is as it was then.
    func rebuildState() async throws -> Bool {
        let files = FileManager.default
        try files.moveItem(atPath: "\(folder)/state", toPath: "\(folder)/lost")
        defer { try? files.removeItem(atPath: "\(folder)/lost") }
        let (kinesis, s3) = clients(FateTransport(cloud, .lives))
        do {
            _ = try await RebuildJob(file: try file(sealRecords: 1), kinesis: kinesis, s3: s3).run(force: false)
            return true
        } catch let error as any DiagnosticError where error.exitCode == .stateOrIdentity {
            try? files.removeItem(atPath: "\(folder)/state")
            try files.moveItem(atPath: "\(folder)/lost", toPath: "\(folder)/state")
            return false
        }
    }
}
