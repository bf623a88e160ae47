// Which objects a load names, in which bytes and under which key.

import Batching
import CivilTime
import Foundation
import Redshift
import Testing

@Suite struct CopyManifestTests {
    private func batch(_ name: String, arrival: Int64, objects: [String]) -> CopyBatch {
        CopyBatch(
            manifest: "c/\(name).json", lastArrival: Timestamp(milliseconds: arrival),
            objects: objects.map { .init(key: $0, bytes: $0.utf8.count * 1_000, rows: 10, sha256: "\($0)-hash") })
    }

    private var batches: [CopyBatch] {
        [
            batch("a", arrival: 1_700_000_000_123, objects: ["d/b", "d/é%2F"]),
            batch("b", arrival: 1_600_000_000_000, objects: ["d/a"]),
        ]
    }

    @Test func documentNamesEveryObjectAsMandatoryWithItsLength() throws {
        let bytes = try CopyManifest(batches).document(bucket: "acme-logs")
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"entries":[{"mandatory":true,"meta":{"content_length":3000},"url":"s3://acme-logs/d/a"},"#
                + #"{"mandatory":true,"meta":{"content_length":3000},"url":"s3://acme-logs/d/b"},"#
                + #"{"mandatory":true,"meta":{"content_length":7000},"url":"s3://acme-logs/d/é%2F"}]}"# + "\n")
        #expect(try CopyManifest.keys(in: bytes, bucket: "acme-logs") == ["d/a", "d/b", "d/é%2F"])
        #expect(try CopyManifest.keys(in: bytes, bucket: "acme") == [])
    }

    @Test func sameBatchesInAnotherOrderAreTheSameLoad() throws {
        let one = CopyManifest(batches)
        let other = CopyManifest(batches.reversed())
        #expect(one == other && one.id.count == 64)
        #expect(one.key(controlPrefix: "x/") == "x/redshift/copy/001700000000123-\(one.id.prefix(32)).manifest")
        #expect(one.rows == 30 && one.bytes == 13_000 && one.objects.map(\.key) == ["d/a", "d/b", "d/é%2F"])
    }

    @Test func anythingElseIsAnotherLoad() {
        let id = CopyManifest(batches).id
        var changed: [[CopyBatch]] = [Array(batches.dropLast())]
        for change: (inout CopyBatch) -> Void in [
            { $0.manifest = "c/z.json" }, { $0.objects[0].sha256 = "x" }, { $0.objects[0].bytes += 1 },
            { $0.objects[0].key = "d/c" }, { $0.objects.removeLast() },
        ] {
            var copy = batches
            change(&copy[0])
            changed.append(copy)
        }
        let ids = Set(changed.map { CopyManifest($0).id } + [id])
        #expect(ids.count == changed.count + 1)
    }

    @Test func documentThatIsNoManifestIsRefused() {
        #expect(throws: DocumentError.self) { try CopyManifest.keys(in: Array("{}".utf8), bucket: "b") }
    }

    @Test func objectsFarFromWhatCopyLikesAreNamed() {
        func objects(_ sizes: [Int]) -> [CopyBatch.Object] {
            sizes.map { .init(key: "k", bytes: $0, rows: 1, sha256: "") }
        }
        #expect(CopyAdvice.warnings(of: objects([99_999, 5_000_000])) == [])
        #expect(CopyAdvice.warnings(of: objects([1_000_000_000, 100_000])) == [])
        let small = CopyAdvice.warnings(of: objects([99_999, 99_999, 5_000_000]))
        #expect(small.count == 1 && small[0].hasPrefix("2 of 3 objects have less than 100 kB"))
        let large = CopyAdvice.warnings(of: objects([1_000_000_001, 5_000_000]))
        #expect(large.count == 1 && large[0].contains("lower seal.bytes"))
    }
}
