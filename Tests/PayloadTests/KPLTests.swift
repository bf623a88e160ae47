// Aggregates as the KPL, the KCL and AWS's Python package make and read them, and as an attacker would make them.

import Crypto
import Foundation
import Testing

@testable import Records

/// A line of `kpl_cases.jsonl`.
struct KPLCase: Decodable, Sendable, CustomTestStringConvertible {
    struct Record: Decodable, Equatable {
        var partitionKey: String
        var explicitHashKey: String?
        var data: Data

        enum CodingKeys: String, CodingKey {
            case partitionKey = "partition_key"
            case explicitHashKey = "explicit_hash_key"
            case data = "data_b64"
        }
    }

    struct Expectation: Decodable {
        var aggregated: Bool
        var records: [Record]
    }

    var id: String
    var data: Data
    var outerPartitionKey: String
    var expect: Expectation

    enum CodingKeys: String, CodingKey {
        case id
        case data = "data_b64"
        case outerPartitionKey = "outer_partition_key"
        case expect
    }

    var testDescription: String { id }

    static func all() throws -> [KPLCase] {
        let text = try Data(contentsOf: dataFolder.appending(path: "cases/kpl_cases.jsonl"))
        return try text.split(separator: 10).map { try JSONDecoder().decode(KPLCase.self, from: $0) }
    }
}

@Suite struct KPLTests {
    @Test func everyCaseOfTheCollectionIsRead() throws {
        let cases = try KPLCase.all()
        #expect(cases.count == 26)
        for test in cases {
            let records = try unpack([UInt8](test.data), partitionKey: test.outerPartitionKey)
            let expected = test.expect.records
            #expect(records.map(\.data) == expected.map { [UInt8]($0.data) }, "\(test.id)")
            // A key that is not UTF-8 is written with U+FFFD in the collection.
            let keys = records.map { String(decoding: $0.partitionKey, as: UTF8.self) }
            #expect(keys == expected.map(\.partitionKey), "\(test.id)")
            let hashKeys = explicitHashKeys([UInt8](test.data))
            #expect((hashKeys != nil) == test.expect.aggregated, "\(test.id)")
            if let hashKeys { #expect(hashKeys == expected.map(\.explicitHashKey), "\(test.id)") }
        }
    }

    @Test func everyFlippedBitAndEveryCutLeavesThePayloadWhole() throws {
        let aggregate = makeAggregate([
            keyField("a"), keyField("b"), recordField(key: 0, "x"), recordField(key: 1, "y"),
        ])
        #expect(try unpack(aggregate).count == 2)
        for index in aggregate.indices {
            for bit in 0..<8 {
                var bad = aggregate
                bad[index] ^= 1 << bit
                let outcome = try unpack(bad)
                #expect(
                    outcome == [Unpacked(data: bad, partitionKey: Array("OUTER".utf8))], "byte \(index), bit \(bit)")
            }
        }
        for length in 0..<aggregate.count {
            let cut = Array(aggregate.prefix(length))
            #expect(try unpack(cut) == [Unpacked(data: cut, partitionKey: Array("OUTER".utf8))])
        }
    }

    @Test(
        arguments: [
            ("partition key beyond the table", [keyField("a"), recordField(key: 1, "x")]),
            ("no partition key table", [recordField(key: 0, "x")]),
            ("explicit hash key beyond the table", [keyField("a"), [0x1A, 7, 8, 0, 0x10, 0, 0x1A, 1, 0x78]]),
            ("no partition key index", [keyField("a"), [0x1A, 3, 0x1A, 1, 0x78]]),
            ("no data", [keyField("a"), [0x1A, 2, 8, 0]]),
            ("field number 0", [keyField("a"), [0x00, 0x00]]),
            ("wire type 6", [keyField("a"), [0x0E, 0x00]]),
            ("group without end", [keyField("a"), [0xA3, 1]]),
            ("end without group", [keyField("a"), [0xA4, 1]]),
            ("length past the end", [keyField("a"), [0x1A, 0x7F]]),
            ("length of 64 bits", [[0x0A] + [UInt8](repeating: 0xFF, count: 9) + [1]]),
            ("tag without key", [keyField("a"), [0x1A, 7, 8, 0, 0x1A, 1, 0x78, 0x22, 0]]),
            (
                "groups too deep",
                [keyField("a")] + [[UInt8]](repeating: [0xA3, 1], count: 101)
                    + [[UInt8]](repeating: [0xA4, 1], count: 101)
            ),
        ] as [(String, [[UInt8]])])
    func damagedMessageUnderARightDigestIsPassedOnWhole(name: String, fields: [[UInt8]]) throws {
        let payload = makeAggregate(fields)
        #expect(try unpack(payload) == [Unpacked(data: payload, partitionKey: Array("OUTER".utf8))], "\(name)")
    }

    @Test func groupsUpToTheLimitAreSkipped() throws {
        let groups =
            [[UInt8]](repeating: [0xA3, 1], count: 100) + [[UInt8]](repeating: [0xA4, 1], count: 100)
        let payload = makeAggregate([keyField("a"), recordField(key: 0, "x")] + groups)
        #expect(try unpack(payload) == [Unpacked(data: [0x78], partitionKey: [0x61])])
    }

    @Test func recordsMayStandBeforeTheTable() throws {
        let payload = makeAggregate([recordField(key: 1, "x"), keyField("a"), keyField("b")])
        #expect(try unpack(payload) == [Unpacked(data: [0x78], partitionKey: [0x62])])
    }

    @Test func ofARepeatedFieldTheLastCounts() throws {
        let payload = makeAggregate([keyField("a"), keyField("b"), [0x1A, 8, 8, 0, 8, 1, 0x1A, 2, 0x68, 0x69]])
        #expect(try unpack(payload) == [Unpacked(data: [0x68, 0x69], partitionKey: [0x62])])
    }

    @Test func randomMessagesUnderARightDigestNeverCrash() throws {
        var random = SystemRandom(seed: 20_261_122)
        for _ in 0..<3_000 {
            let count = Int(random.next() % 40)
            let payload = makeAggregate([(0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) & 0x3F }])
            _ = try unpack(payload)
        }
    }

    private func explicitHashKeys(_ payload: [UInt8]) -> [String?]? {
        var aggregate = KPLAggregate()
        var keys: [String?] = []
        let isAggregate = payload.withUnsafeBytes { payload in
            aggregate.read(payload) { record, _ in
                keys.append(record.explicitHashKey.map { String(decoding: payload[$0], as: UTF8.self) })
            }
        }
        return isAggregate ? keys : nil
    }
}

/// Seeded, so that a failure repeats.
struct SystemRandom {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}

func keyField(_ key: String) -> [UInt8] { [0x0A, UInt8(key.utf8.count)] + Array(key.utf8) }

func recordField(key: UInt8, _ data: String) -> [UInt8] {
    let record = [8, key, 0x1A, UInt8(data.utf8.count)] + Array(data.utf8)
    return [0x1A, UInt8(record.count)] + record
}

func makeAggregate(_ fields: [[UInt8]]) -> [UInt8] {
    let message = Array(fields.joined())
    return KPLAggregate.magic + message + Array(Insecure.MD5.hash(data: message))
}
