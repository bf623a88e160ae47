// What the writer packs must come out of every reader as it went in, and be exactly as long as the writer said before.

import Crypto
import Testing

@testable import Records

@Suite struct KPLWriterTests {
    private typealias Record = (data: [UInt8], key: [UInt8])

    /// The finished aggregate; the size that was told before each append is checked on the way.
    private func pack(_ records: [Record], with writer: inout KPLWriter) -> [UInt8] {
        for record in records {
            record.data.withUnsafeBytes { data in
                record.key.withUnsafeBytes { key in
                    let told = writer.byteCount(adding: data, key: key)
                    writer.append(data: data, partitionKey: key)
                    #expect(writer.byteCount == told)
                }
            }
        }
        #expect(writer.count == records.count)
        let told = writer.byteCount
        var aggregate: [UInt8] = []
        writer.finish(into: &aggregate)
        #expect(aggregate.count == told)
        #expect(writer.isEmpty)
        #expect(writer.byteCount == 0)
        return aggregate
    }

    private func pack(_ records: [Record], explicitHashKey: UInt128 = 0) -> [UInt8] {
        var writer = KPLWriter(explicitHashKey: explicitHashKey)
        return pack(records, with: &writer)
    }

    private func unpacked(_ records: [Record]) -> [Unpacked] {
        records.map { Unpacked(data: $0.data, partitionKey: $0.key) }
    }

    /// The explicit hash key of each user record, and the entries of the partition key table.
    private func tables(_ aggregate: [UInt8]) -> (hashKeys: [String?], partitionKeys: [String]) {
        var reader = KPLAggregate()
        var hashKeys: [String?] = []
        var places: [Range<Int>] = []
        _ = aggregate.withUnsafeBytes { bytes in
            reader.read(bytes) { record, _ in
                hashKeys.append(record.explicitHashKey.map { String(decoding: bytes[$0], as: UTF8.self) })
                if places.last != record.partitionKey { places.append(record.partitionKey) }
            }
        }
        return (hashKeys, places.map { String(decoding: aggregate[$0], as: UTF8.self) })
    }

    /// Made by `RecordAggregator` of AWS's Python package aws-kinesis-agg 1.2.3 from the same three records.
    @Test func bytesAreThoseOfTheAWSPackage() {
        let expected = [
            "f3899ac20a1a776562312f64727570616c2e6c6f672f30613162326333642f300a016b12273334303238323336363932",
            "303933383436333436333337343630373433313736383231313435351a26080010001a204e6f762032322032323a3238",
            "3a323720776562312064727570616c3a20617c621a06080010001a001a8701080110001a800100010203040506070809",
            "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233343536373839",
            "3a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60616263646566676869",
            "6a6b6c6d6e6f707172737475767778797a7b7c7d7e7fb14f382a436bbfed93a445b1d8d83ba3",
        ].joined()
        let key = Array("web1/drupal.log/0a1b2c3d/0".utf8)
        let aggregate = pack(
            [
                (Array("Nov 22 22:28:27 web1 drupal: a|b".utf8), key), ([], key),
                (Array(0..<128), Array("k".utf8)),
            ], explicitHashKey: .max)
        #expect(aggregate.map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined() == expected)
    }

    @Test(
        arguments: [
            (0 as UInt128, "0"), (7, "7"), (170_141_183_460_469_231_731_687_303_715_884_105_728, nil),
            (.max, "340282366920938463463374607431768211455"),
        ] as [(UInt128, String?)])
    func everyUserRecordBearsTheExplicitHashKeyOfTheAggregate(hashKey: UInt128, text: String?) {
        let records: [Record] = (0..<5).map { ([$0], [0x61 + $0]) }
        let hashKeys = tables(pack(records, explicitHashKey: hashKey)).hashKeys
        #expect(hashKeys == Array(repeating: text ?? "170141183460469231731687303715884105728", count: 5))
    }

    @Test func keyThatComesAgainAtOnceIsWrittenOnce() throws {
        let keys = ["a", "a", "b", "a", "a", "ab", "", "", "b", "b"]
        let records: [Record] = keys.enumerated().map { ([UInt8($0)], Array($1.utf8)) }
        let aggregate = pack(records)
        #expect(try unpack(aggregate) == unpacked(records))
        #expect(tables(aggregate).partitionKeys == ["a", "b", "a", "ab", "", "b"])
        // Two bytes and the text for each entry of the table.
        let different = pack(keys.indices.map { ([UInt8($0)], [UInt8($0)]) })
        #expect(different.count - aggregate.count == 10 * 3 - (6 * 2 + 6))
    }

    /// Lengths at which a varint grows: of the data, of the record around it, of the key.
    @Test(arguments: [
        0, 1, 118, 119, 120, 121, 122, 126, 127, 128, 129, 16_374, 16_383, 16_384, 16_385, 2_097_151, 2_097_152,
    ])
    func dataAndKeysOfEveryLengthComeBack(length: Int) throws {
        let long = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let records: [Record] = [(long, [0x6B]), ([1], long), (long, long), ([], long), ([], [])]
        #expect(try unpack(pack(records)) == unpacked(records))
    }

    @Test(arguments: [1, 127, 128, 129, 16_383, 16_384, 16_385])
    func tablesOfEverySizeComeBack(count: Int) throws {
        let records: [Record] = (0..<count).map { ([UInt8(truncatingIfNeeded: $0)], Array(String($0).utf8)) }
        #expect(try unpack(pack(records)) == unpacked(records))
    }

    @Test func emptyAggregateIsNothing() {
        var writer = KPLWriter(explicitHashKey: 1)
        var out: [UInt8] = [1, 2]
        writer.finish(into: &out)
        #expect(out == [1, 2])
        #expect(writer.byteCount == 0)
    }

    @Test func finishedAggregateIsAppendedAndTheNextOneStartsAnew() throws {
        var writer = KPLWriter(explicitHashKey: 5)
        let records: [Record] = [([1], [0x61]), ([2], [0x62])]
        let first = pack(records, with: &writer)
        var out = first
        [UInt8]([3]).withUnsafeBytes { data in
            [UInt8]([0x62]).withUnsafeBytes { writer.append(data: data, partitionKey: $0) }
        }
        writer.finish(into: &out)
        #expect(Array(out.prefix(first.count)) == first)
        // The key is written again, though the aggregate before ended with it.
        #expect(try unpack(Array(out.dropFirst(first.count))) == [Unpacked(data: [3], partitionKey: [0x62])])
        #expect(pack(records, with: &writer) == first)
    }

    @Test(arguments: 1...100) func randomRecordsComeBack(seed: Int) throws {
        var random = SystemRandom(seed: UInt64(seed))
        func bytes(_ limit: UInt64) -> [UInt8] {
            (0..<random.next() % limit).map { _ in UInt8(truncatingIfNeeded: random.next()) & 0x7F }
        }
        let keys = (0..<4).map { _ in bytes(60) }
        let records: [Record] = (0..<random.next() % 300).map { _ in (bytes(400), keys[Int(random.next() % 4)]) }
        let aggregate = pack(records, explicitHashKey: UInt128(random.next()))
        #expect(aggregate.isEmpty == records.isEmpty, "seed \(seed)")
        #expect(try records.isEmpty || unpack(aggregate) == unpacked(records), "seed \(seed)")
    }
}
