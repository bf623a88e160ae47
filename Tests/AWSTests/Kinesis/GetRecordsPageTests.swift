import AWS
import CivilTime
import Foundation
import Testing

/// What a page says, as plain values.
private struct Plain: Equatable {
    var data: [UInt8]
    var sequence: String
    var key: String
    var arrival: Int64
}

private func page(_ text: String) throws(JSONFault) -> GetRecordsPage {
    try GetRecordsPage(body: Array(text.utf8), serverDate: Timestamp(seconds: 0))
}

private func records(_ page: GetRecordsPage) -> [Plain] {
    (0..<page.count).map { i in
        page.withRecord(i) {
            Plain(
                data: Array($0.data), sequence: String(decoding: $0.sequenceNumber, as: UTF8.self),
                key: String(decoding: $0.partitionKey, as: UTF8.self), arrival: $0.arrival.microseconds)
        }
    }
}

private func record(_ data: String, _ key: String = "k", _ sequence: String = "49", _ time: String = "1.5E9") -> String
{
    #"{"SequenceNumber":"\#(sequence)","ApproximateArrivalTimestamp":\#(time),"Data":"\#(data)","#
        + #""PartitionKey":"\#(key)","EncryptionType":"KMS"}"#
}

private func body(_ records: [String], rest: String = #""NextShardIterator":"n","MillisBehindLatest":7"#) -> String {
    "{\"Records\":[\(records.joined(separator: ","))],\(rest)}"
}

struct GetRecordsPageTests {
    @Test(
        arguments: [
            ("", []), ("AA==", [0]), ("AAE=", [0, 1]), ("AAEC", [0, 1, 2]), ("AAECAw==", [0, 1, 2, 3]),
            ("+/+/", [0xFB, 0xFF, 0xBF]), (#"+\/+\/"#, [0xFB, 0xFF, 0xBF]), (#"AAEC\/\/8="#, [0, 1, 2, 0xFF, 0xFF]),
            (#"\u0041AE\u003D"#, [0, 1]), ("AAECAAEC" + #"\/w=="#, [0, 1, 2, 0, 1, 2, 0xFF]),
        ] as [(String, [UInt8])])
    func base64IsDecodedInPlace(text: String, data: [UInt8]) throws {
        let found = records(try page(body([record(text), record("QUJD", "after")])))
        #expect(found[0].data == data)
        #expect(
            found[1] == Plain(data: Array("ABC".utf8), sequence: "49", key: "after", arrival: 1_500_000_000_000_000))
    }

    @Test(arguments: [
        "A", "AA", "AAA", "AAAAA", "AA=A", "A===", "====", "AA==AAAA", "AAA*", "AAAA\u{E9}AA", #"AA\n="#, "AA AA",
    ])
    func badBase64IsNoPage(text: String) {
        #expect(throws: JSONFault.self) { try page(body([record(text)])) }
    }

    @Test(
        arguments: [
            "1.795385468741E9", "1795385468.741", "1795385468741E-3", "17953854687410e-1", "1795385468.741000",
        ].prefix(3) + ["1795385468.741000"])
    func arrivalIsExactInEveryNotation(text: String) throws {
        let found = records(try page(body([record("QQ==", "k", "49", text)])))
        #expect(found[0].arrival == 1_795_385_468_741_000)
        #expect(
            try page(body([record("QQ==", "k", "49", text)])).arrival(0) == Timestamp(milliseconds: 1_795_385_468_741))
    }

    @Test func keysAreUnescaped() throws {
        let found = records(try page(body([record("QQ==", #"a\/b\u00e9\ud83d\ude00\"\\"#), record("QQ==", "é")])))
        #expect(found.map(\.key) == ["a/bé😀\"\\", "é"])
    }

    @Test func emptyPageKeepsItsIterator() throws {
        let empty = try page(body([]))
        #expect(empty.count == 0)
        #expect(empty.nextIterator == "n")
        #expect(empty.millisBehindLatest == 7)
        #expect(empty.isConsistent)
        #expect(empty.bodyBytes == body([]).utf8.count)
    }

    @Test func shardEndNamesChildrenWithParents() throws {
        let end = try page(
            body(
                [record("QQ==")],
                rest: #""NextShardIterator":null,"MillisBehindLatest":0,"ChildShards":[{"ShardId":"c","#
                    + #""ParentShards":["a","b"],"HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"1"}}]"#))
        #expect(end.nextIterator == nil)
        #expect(end.childShards == [ChildShard(id: "c", parents: ["a", "b"])])
        #expect(end.isConsistent)
        #expect(records(end).count == 1)
    }

    @Test(arguments: [
        #""MillisBehindLatest":0"#, #""MillisBehindLatest":0,"ChildShards":[]"#,
        #""MillisBehindLatest":0,"ChildShards":[{"ShardId":"c","ParentShards":[]}]"#,
        #""MillisBehindLatest":0,"NextShardIterator":"n","ChildShards":[{"ShardId":"c","ParentShards":["p"]}]"#,
    ])
    func endsThatContradictThemselvesAreToldApart(rest: String) throws {
        #expect(try !page(body([], rest: rest)).isConsistent)
    }

    @Test func pageCutAtAnyByteIsNoPage() throws {
        let text =
            " "
            + body(
                [record("QUJD", #"a\u00e9"#), record("", "k"), record(#"AA\/="#, "x", "50", "1.5E9")],
                rest:
                    #""NextShardIterator":"n\/","MillisBehindLatest":12,"ChildShards":[{"ShardId":"c","ParentShards":["p"]}]"#
            )
        let bytes = Array(text.utf8)
        #expect(throws: Never.self) { try page(text) }
        for count in 0..<bytes.count {
            #expect(throws: JSONFault.self, "cut after \(count) bytes") {
                try GetRecordsPage(body: Array(bytes.prefix(count)), serverDate: Timestamp(seconds: 0))
            }
        }
    }

    @Test(arguments: [
        #"{"Records":[{"SequenceNumber":"1","Data":"","PartitionKey":"k"}],"MillisBehindLatest":0}"#,
        #"{"Records":[{"ApproximateArrivalTimestamp":1,"Data":"","PartitionKey":"k"}],"MillisBehindLatest":0}"#,
        #"{"Records":[{"SequenceNumber":"1","ApproximateArrivalTimestamp":1,"PartitionKey":"k"}],"MillisBehindLatest":0}"#,
        #"{"Records":[{"SequenceNumber":"1","ApproximateArrivalTimestamp":1,"Data":""}],"MillisBehindLatest":0}"#,
        #"{"Records":[{"SequenceNumber":"","ApproximateArrivalTimestamp":1,"Data":"","PartitionKey":"k"}],"MillisBehindLatest":0}"#,
        #"{"Records":[{"SequenceNumber":"1","ApproximateArrivalTimestamp":1e99,"Data":"","PartitionKey":"k"}],"MillisBehindLatest":0}"#,
        #"{"Records":[{"SequenceNumber":"1","ApproximateArrivalTimestamp":null,"Data":"","PartitionKey":"k"}],"MillisBehindLatest":0}"#,
        #"{"Records":[]}"#, #"{"MillisBehindLatest":0}"#, "{}", "[]", "", #"{"Records":{},"MillisBehindLatest":0}"#,
        #"{"Records":[],"MillisBehindLatest":-1}"#, #"{"Records":[],"MillisBehindLatest":"0"}"#,
        #"{"Records":[],"MillisBehindLatest":0} {}"#, #"{"Records":[],"MillisBehindLatest":0,}"#,
        #"{"Records":[],"MillisBehindLatest":0,"ChildShards":[{"ParentShards":["a"]}]}"#,
    ])
    func pageThatLacksWhatItMustHaveIsRefused(text: String) {
        #expect(throws: JSONFault.self) { try page(text) }
    }

    @Test func unknownMembersAndOrderDoNotMatter() throws {
        let text =
            #" { "X":{"a":[1,-2.5e3,true,null,"\u0041"]}, "MillisBehindLatest" : 1e3 , "Records" : [ { "PartitionKey":"#
            + #""k","Y":[{}],"Data":"QQ==","ApproximateArrivalTimestamp":0,"SequenceNumber":"7"} ] } "#
        let found = try page(text)
        #expect(found.millisBehindLatest == 1_000)
        #expect(records(found) == [Plain(data: [0x41], sequence: "7", key: "k", arrival: 0)])
        #expect(found.sequenceNumber(0) == "7")
    }

    @Test func recordOfTenMebibytesIsRead() throws {
        var data = [UInt8](repeating: 0, count: 10 << 20)
        for i in stride(from: 0, to: data.count, by: 251) { data[i] = UInt8(truncatingIfNeeded: i / 251) }
        let found = try page(body([record(Data(data).base64EncodedString())]))
        #expect(found.withRecord(0) { Array($0.data) == data })
    }

    @Test func tenThousandRecordsKeepTheirOrder() throws {
        let all = (0..<10_000).map { record(Data("r\($0)".utf8).base64EncodedString(), "k\($0)", "\(49_000 + $0)") }
        let found = try page(body(all))
        #expect(found.count == 10_000)
        for i in [0, 1, 4_999, 9_999] {
            #expect(found.withRecord(i) { String(decoding: $0.data, as: UTF8.self) } == "r\(i)")
            #expect(found.sequenceNumber(i) == "\(49_000 + i)")
        }
    }

    @Test func emptyPageWithoutAnswerEndsItsShard() {
        let empty = GetRecordsPage.empty(serverDate: Timestamp(seconds: 5))
        #expect(empty.count == 0)
        #expect(empty.nextIterator == nil)
        #expect(empty.serverDate == Timestamp(seconds: 5))
    }

    /// Random pages written by Foundation, read by the scanner; then every page with one byte changed: whatever comes
    /// out, nothing may crash.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]) func randomPagesAgreeWithFoundation(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let expected = (0..<Int.random(in: 1...40, using: &random)).map { i in
            Plain(
                data: (0..<Int.random(in: 0...70, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
                },
                sequence: "\(i + 1)",
                key: String(
                    (0..<Int.random(in: 1...20, using: &random)).map { _ in
                        ["a", "/", "\"", "\\", "é", "😀", "\u{1}", "\n", "7"].randomElement(using: &random) ?? "x"
                    }.joined()),
                arrival: Int64.random(in: 0...2_000_000_000_000, using: &random) * 1_000)
        }
        let document: [String: Any] = [
            "NextShardIterator": "n", "MillisBehindLatest": 5,
            "Records": expected.map {
                [
                    "Data": Data($0.data).base64EncodedString(), "SequenceNumber": $0.sequence, "PartitionKey": $0.key,
                    "ApproximateArrivalTimestamp": NSDecimalNumber(
                        mantissa: UInt64($0.arrival / 1_000), exponent: -3, isNegative: false),
                ] as [String: Any]
            },
        ]
        let bytes = try [UInt8](JSONSerialization.data(withJSONObject: document))
        let found = try GetRecordsPage(body: bytes, serverDate: Timestamp(seconds: 0))
        #expect(records(found) == expected, "seed \(seed)")
        for _ in 0..<2_000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            if let page = try? GetRecordsPage(body: damaged, serverDate: Timestamp(seconds: 0)) {
                #expect(records(page).count == page.count)
            }
        }
    }
}

/// SplitMix64: the same numbers everywhere for a seed.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
