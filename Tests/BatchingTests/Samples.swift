// Values that several suites share, and a small seeded generator.

import Batching
import CivilTime
import Testing

/// SplitMix64: the same seed gives the same run on every machine.
struct SeededGenerator: RandomNumberGenerator {
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

func sequence(_ text: String) throws -> SequenceNumber { try #require(SequenceNumber(text)) }

/// 2024-11-22T20:31:05.250Z
let sampleTime = Timestamp(milliseconds: 1_732_307_465_250)

func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    var text = text
    return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
}

/// Renders with `site` alone set.
func render(_ template: PrefixTemplate, site: String, time: Timestamp = sampleTime, severity: Int? = nil) -> String {
    withBytes(site) { bytes in
        template.render(PartitionValues(time: time, stream: "logs", site: bytes, severity: severity))
    }
}

func sampleIntent() throws -> BatchIntent {
    let hash = String(repeating: "ab", count: 32)
    let first = try sequence("49590338271490256608559692538361571095921575989136588898")
    func object(_ site: String) -> BatchObject {
        BatchObject(
            key: objectKey(
                prefix: "drupal/site=\(site)/", stream: "logs", shard: "shardId-000000000001", first: first),
            rows: 3, bytes: 120, rowsBytes: 900, sha256: hash, rowsSHA256: String(hash.reversed()),
            spoolFile: "\(site).gz", firstEvent: sampleTime, lastEvent: sampleTime.adding(.seconds(2)),
            partition: "drupal/site=\(site)/")
    }
    return BatchIntent(
        job: "drupal", stream: "logs", streamCreation: Timestamp(milliseconds: 1_700_000_000_123),
        shard: "shardId-000000000001", parents: ["shardId-000000000000"], first: first,
        last: try sequence("49590338271490256608559692538361571095921575989136588999"), records: 5,
        previousManifest: nil, objects: [object("b"), object("a")], firstArrival: sampleTime,
        lastArrival: sampleTime.adding(.seconds(1)), firstEvent: sampleTime,
        lastEvent: sampleTime.adding(.seconds(2)), statusCounts: ["ok": 5, "unparsed": 1],
        settings: BatchSettings(
            transform: .object(["format": .string("auto"), "sites": .object(["www.example.org": .string("ex")])]),
            prefix: "drupal/site={site}/", partitionTime: "arrival", gzipLevel: 6, gzipEngine: "zlib 1.2.13",
            chunkBytes: 131_072),
        createdBy: "sluice 0.1.0")
}
