// What a manifest may say: the good one passes, and each contradiction is named.

import Batching
import CivilTime
import Foundation
import Testing

private let controlPrefix = "_sluice/drupal/"

struct ManifestJudgeTests {
    private let manifest: BatchManifest
    private let place: ManifestPlace
    private let judge = ManifestJudge(job: "drupal", stream: "logs", controlPrefix: controlPrefix)

    init() throws {
        manifest = BatchManifest(intent: try sampleIntent())
        place = try #require(ManifestPlace(manifest.key(controlPrefix: controlPrefix), controlPrefix: controlPrefix))
    }

    @Test func goodManifestPasses() throws {
        let judged = try judge.judge(manifest.canonicalBytes(), at: place).get()
        #expect(judged == JudgedManifest(manifest: manifest))
    }

    struct Forgery: Sendable {
        var says: String
        var change: @Sendable (inout BatchManifest) throws -> Void
        init(_ says: String, _ change: @escaping @Sendable (inout BatchManifest) throws -> Void) {
            self.says = says
            self.change = change
        }
    }

    static let forgeries: [Forgery] = [
        Forgery("the job other") { $0.job = "other" },
        Forgery("the stream other") { $0.stream = "other" },
        Forgery("a stream created") { $0.streamCreation = sampleTime },
        Forgery("the shard s") { $0.shard = "s" },
        Forgery("it begins with 7") { $0.first = try sequence("7") },
        Forgery("as the manifest before it") { $0.previous = "_sluice/drupal/commits/1/s/x.json" },
        Forgery("before its first") { $0.last = try sequence("7") },
        Forgery("0 records") { $0.records = 0 },
        Forgery("last arrival lies before") { $0.firstArrival = $0.lastArrival.adding(.seconds(1)) },
        Forgery("3 parents") { $0.parents = ["a", "b", "c"] },
        Forgery("its own parent") { $0.parents = [$0.shard] },
        Forgery("it names 0 objects") { $0.objects = [] },
        Forgery("it says 7 rows") { $0.rows = 7 },
        Forgery("it counts 7 rows") { $0.statusCounts = ["ok": 7] },
        Forgery("fewer than no rows") { $0.statusCounts = ["ok": 7, "unparsed": -1] },
        Forgery("not sorted") { $0.objects.reverse() },
        Forgery("named twice") { $0.objects[1] = $0.objects[0] },
        Forgery("its first and last event") { $0.lastEvent = $0.lastEvent.adding(.seconds(1)) },
        Forgery("outside the prefix") { $0.objects[0].partition = "else/" },
        Forgery("outside the prefix") { $0.objects[0].partition = "drupal/site=/../x/" },
        Forgery("should be named") { $0.objects[0].key += "x" },
        Forgery("is empty") { $0.objects[0].bytes = 0 },
        Forgery("a hash of") { $0.objects[0].sha256 = String(repeating: "X", count: 64) },
        Forgery("a hash of") { $0.objects[0].rowsSHA256 = "ab" },
        Forgery("the last event of") { $0.objects[0].lastEvent = sampleTime.adding(.seconds(-1)) },
        Forgery("none that a job can have") { $0.settings.prefix = "a//b" },
    ]

    @Test(arguments: 0..<forgeries.count) func contradictionIsNamed(index: Int) throws {
        var forged = manifest
        let forgery = Self.forgeries[index]
        try forgery.change(&forged)
        guard case .failure(let fault) = judge.judge(try forged.canonicalBytes(), at: place) else {
            Issue.record("passed: \(forgery.says)")
            return
        }
        #expect(fault.kind == .forged)
        #expect(fault.detail.contains(forgery.says), "\(fault.detail)")
    }

    @Test func whatIsNoManifestIsDamaged() throws {
        let bytes = try manifest.canonicalBytes()
        for damaged in [
            [], Array("x".utf8), Array("[]\n".utf8), Array(bytes.dropLast(9)), Array("{\"format_version\":1}".utf8),
        ] {
            guard case .failure(let fault) = judge.judge(damaged, at: place) else {
                Issue.record("passed: \(String(decoding: damaged, as: UTF8.self))")
                continue
            }
            #expect(fault.kind == .damaged)
        }
    }

    @Test func anotherFormOfTheSameContentIsForged() throws {
        let object = try JSONSerialization.jsonObject(with: Data(manifest.canonicalBytes()))
        let pretty = try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
        guard case .failure(let fault) = judge.judge([UInt8](pretty), at: place) else {
            Issue.record("passed")
            return
        }
        #expect(fault.kind == .forged)
    }

    @Test func manifestOfALaterVersionIsNoDamage() throws {
        let text = String(decoding: try manifest.canonicalBytes(), as: UTF8.self)
            .replacing("\"format_version\":1", with: "\"format_version\":2")
        guard case .failure(let fault) = judge.judge(Array(text.utf8), at: place) else {
            Issue.record("passed")
            return
        }
        #expect(fault.kind == .newer)
    }

    @Test func placesAreReadBackFromKeysAndNothingElse() throws {
        let key = manifest.key(controlPrefix: controlPrefix)
        #expect(place.streamCreation == 1_700_000_000_123 && place.key.shard == "shardId-000000000001")
        #expect(place.text(controlPrefix: controlPrefix) == key)
        for wrong in [
            "", key + "x", key.replacing("1700000000123", with: "01700000000123"),
            key.replacing("/shardId", with: "/x/shardId"),
            key.replacing("_sluice", with: "sluice"), key.replacing("commits", with: "backfill"),
        ] {
            #expect(ManifestPlace(wrong, controlPrefix: controlPrefix) == nil, "\(wrong)")
        }
    }

    @Test func objectNamesAreReadBackFromKeys() throws {
        let first = try sequence("42")
        for (stream, shard) in [("logs", "shardId-1"), ("my-logs", "shardId-000000000001"), (".odd", "s")] {
            let key = objectKey(prefix: "a/b=c/", stream: stream, shard: shard, first: first)
            let name = try #require(ObjectName(key: key, stream: stream))
            #expect(name.first == first && name.shard == shard)
            #expect(ObjectName(key: key, stream: "other") == nil)
            #expect(ObjectName.isObjectOfAnyStream(key: key))
        }
        for wrong in [
            "a/junk", "a/logs-shardId-1-42.ndjson.gz", "a/logs-\(first.padded).ndjson.gz",
            "a/\(first.padded).ndjson.gz",
        ] {
            #expect(ObjectName(key: wrong, stream: "logs") == nil, "\(wrong)")
        }
        #expect(!ObjectName.isObjectOfAnyStream(key: "a/junk.ndjson.gz"))
    }
}
