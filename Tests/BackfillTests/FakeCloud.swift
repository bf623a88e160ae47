// Kinesis and S3 in memory, behind the transport's seam: the real jobs run against it, many times a second. It does as
// much as archive and backfill ask for; the protocol itself is proven against the strict endpoint in Tests/LocalAWS.

import CivilTime
import Foundation
import HTTP
import Synchronization

/// One record as it was put, and where it stands.
struct FakeRecord: Sendable {
    var shard: String
    var sequence: Int
    var arrival: Timestamp
    var text: String
}

struct FakeShard: Sendable {
    var id: String
    var parents: [String]
    var created: Timestamp
    var closed: Timestamp?
    var children: [String] = []
    var records: [FakeRecord] = []
}

struct FakeObject: Sendable {
    var bytes: [UInt8]
    var metadata: [String: String]
    var etag: String
}

final class FakeCloud: Sendable {
    static let stream = "logs"
    static let creation = Timestamp(seconds: 1_790_000_000)

    struct Content {
        var now = FakeCloud.creation
        var retentionHours = 24
        var shards: [FakeShard] = []
        var objects: [String: FakeObject] = [:]
        var writes = 0
        var put = 0
        /// Most records of a page.
        var pageRecords = 10_000
        /// The clock moves on by this at every page.
        var pageTime = Duration.zero
    }
    let content: Mutex<Content>

    init(shards: Int) {
        var content = Content()
        for _ in 0..<shards { content.addShard(parents: []) }
        self.content = Mutex(content)
    }

    var now: Timestamp { content.withLock { $0.now } }
    func advance(to now: Timestamp) { content.withLock { $0.now = max($0.now, now) } }

    // MARK: What tests do to the stream

    /// Puts a record on an open shard, arriving now.
    func put(on shard: Int) {
        content.withLock { content in
            content.put += 1
            content.shards[shard].records.append(
                FakeRecord(
                    shard: content.shards[shard].id, sequence: (shard + 1) * 1_000_000_000 + content.put * 7,
                    arrival: content.now, text: "line \(content.put)"))
        }
    }

    var openShards: [Int] {
        content.withLock { content in content.shards.indices.filter { content.shards[$0].closed == nil } }
    }

    /// One parent splits into two, two merge into one.
    func reshard(_ parents: [Int]) {
        content.withLock { content in
            let ids = parents.map { content.shards[$0].id }
            for _ in 0..<(parents.count == 1 ? 2 : 1) {
                let child = content.addShard(parents: ids)
                for parent in parents { content.shards[parent].children.append(child) }
            }
            for parent in parents { content.shards[parent].closed = content.now }
        }
    }

    /// Every record that was ever put, by shard.
    var records: [FakeRecord] { content.withLock { $0.shards.flatMap(\.records) } }

    // MARK: What tests do to the bucket

    func keys(_ prefix: String) -> [String] {
        content.withLock { $0.objects.keys.filter { $0.hasPrefix(prefix) }.sorted() }
    }
    func bytes(_ key: String) -> [UInt8]? { content.withLock { $0.objects[key]?.bytes } }
    func remove(_ key: String) { content.withLock { _ = $0.objects.removeValue(forKey: key) } }

    // MARK: The wire

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        content.withLock { content in
            let target = request.headers.first { $0.name == "X-Amz-Target" }?.value
            var response =
                target.map { content.kinesis(String($0.split(separator: ".")[1]), request.bodyBytes) }
                ?? content.s3(request)
            response.headers.append(HTTPHeader("Date", Self.date(content.now)))
            response.headers.append(HTTPHeader("Content-Length", String(response.body.count)))
            return response
        }
    }

    private static func date(_ instant: Timestamp) -> String {
        var time = time_t(instant.seconds)
        var fields = tm()
        gmtime_r(&time, &fields)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &fields)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension FakeCloud.Content {
    @discardableResult
    mutating func addShard(parents: [String]) -> String {
        let number = String(shards.count)
        let id = "shardId-" + String(repeating: "0", count: 12 - number.count) + number
        shards.append(FakeShard(id: id, parents: parents, created: now))
        return id
    }

    var trimHorizon: Timestamp { now.adding(.seconds(-3_600 * retentionHours)) }
}

extension HTTPRequest {
    /// The whole body; files are read, as the transport would.
    var bodyBytes: [UInt8] {
        switch body {
        case .none: []
        case .bytes(let bytes): bytes
        case .file(let path, _): (FileManager.default.contents(atPath: path)).map { [UInt8]($0) } ?? []
        }
    }

    func value(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}
