// PutRecords: the request's bytes, the answer's reading, and what is refused before anything is sent.
import AWS
import Diagnostics
import HTTP
import Testing

struct PutRecordsTests {
    // MARK: - Request

    @Test func recordsGoOutInBase64WithEscapedKeys() async throws {
        var batch = putBatch([([0, 255, 10], "a\"\\\u{1}é\u{7F}"), ([0xFB, 0xFF], "web1/drupal.log/0a1b2c3d/42")])
        batch.append(data: [], partitionKey: "k", explicitHashKey: 17)
        batch.append(data: [7], partitionKey: "k", explicitHashKey: .max)
        let bench = Bench([.json(putAnswer(4)), .json(putAnswer(4))])
        _ = try await bench.kinesis.putRecords(stream: "s", batch: batch)
        let records =
            #""Records":[{"Data":"AP8K","PartitionKey":"a\"\\\u0001é"# + "\u{7F}"
            + #""},{"Data":"+/8=","PartitionKey":"web1/drupal.log/0a1b2c3d/42"},"#
            + #"{"Data":"","PartitionKey":"k","ExplicitHashKey":"17"},"#
            + #"{"Data":"Bw==","PartitionKey":"k","ExplicitHashKey":"340282366920938463463374607431768211455"}]}"#
        #expect(bench.server.requests[0].bodyText == #"{"StreamName":"s","# + records)
        #expect(bench.server.requests[0].header("X-Amz-Target") == "Kinesis_20131202.PutRecords")
        let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
        _ = try await bench.kinesis.putRecords(stream: arn, batch: batch)
        #expect(bench.server.requests[1].bodyText == #"{"StreamARN":"\#(arn)","# + records)
    }

    @Test func bytesOfAKeyThatAreNotUTF8AreReplaced() async throws {
        var batch = PutRecordsBatch()
        ([0x61, 0xFF, 0xFE, 0x62] as [UInt8]).withUnsafeBytes {
            batch.append(data: UnsafeRawBufferPointer(start: nil, count: 0), partitionKey: $0)
        }
        let bench = Bench([.json(putAnswer(1))])
        _ = try await bench.kinesis.putRecords(stream: "s", batch: batch)
        #expect(
            bench.server.requests[0].bodyText
                == #"{"StreamName":"s","Records":[{"Data":"","PartitionKey":"a\#u{FFFD}\#u{FFFD}b"}]}"#)
    }

    /// Every length around the strides of the encoder, and keys around those of the escaper.
    @Test func everyLengthIsReadBackAsItWas() async throws {
        var random = SeededBytes(seed: 11)
        for length in 0..<64 {
            let data = random.bytes(length)
            let key = String(decoding: random.bytes(length + 1).map { 0x20 + $0 % 0x5F }, as: UTF8.self)
            let bench = Bench([.json(putAnswer(1))])
            _ = try await bench.kinesis.putRecords(stream: "s", batch: putBatch([(data, key)]))
            guard case .bytes(let body) = bench.server.requests[0].body else {
                Issue.record("no body")
                return
            }
            let record = try #require(try JSONValue(body)["Records"]?.array?.first)
            #expect(record["PartitionKey"]?.string == key, "seed 11, length \(length)")
            // The page reader decodes base64 by other code than the encoder's.
            let page =
                #"{"Records":[{"Data":"\#(record["Data"]?.string ?? "")","PartitionKey":"k","SequenceNumber":"1","#
                + #""ApproximateArrivalTimestamp":1}],"MillisBehindLatest":0}"#
            let decoded = try GetRecordsPage(body: Array(page.utf8), serverDate: bench.clock.now())
            #expect(decoded.withRecord(0) { Array($0.data) } == data, "seed 11, length \(length)")
        }
    }

    // MARK: - Answer

    @Test func storedRecordsAreCountedByShardAndFailuresNamed() async throws {
        let bench = Bench([
            .json(
                #"{"EncryptionType":"KMS","FailedRecordCount":3,"Records":["#
                    + #"{"SequenceNumber":"49","ShardId":"shardId-000000000000"},"#
                    + #"{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard "#
                    + #"shardId-000000000001 in stream s under account 111111111111."},"#
                    + #"{"ShardId":"shardId-000000000002","SequenceNumber":"50","ErrorCode":null,"ErrorMessage":null},"#
                    + #"{"ErrorCode":"InternalFailure","ErrorMessage":"Internal service failure."},"#
                    + #"{"SequenceNumber":"51","ShardId":"shardId-000000000000","EncryptionType":"KMS"},"#
                    + #"{"ErrorCode":"InternalFailure"},"#
                    + #"{ "SequenceNumber" : "52" , "ShardId" : "shardId-00000000000\u0032" }]}"#)
        ])
        let answer = try await bench.kinesis.putRecords(stream: "s", batch: putBatch(count: 7))
        let rate = "Rate exceeded for shard shardId-000000000001 in stream s under account 111111111111."
        #expect(
            answer
                == PutRecordsAnswer(
                    storedCount: 4,
                    failures: [
                        .init(index: 1, code: "ProvisionedThroughputExceededException", message: rate),
                        .init(index: 3, code: "InternalFailure", message: "Internal service failure."),
                        .init(index: 5, code: "InternalFailure", message: ""),
                    ], storedByShard: ["shardId-000000000000": 2, "shardId-000000000002": 2]))
        #expect(answer.failures.map(\.shard) == ["shardId-000000000001", nil, nil])
    }

    @Test(
        arguments: [
            ("Rate exceeded for shard shardId-000000000017.", "shardId-000000000017"),
            ("shardId-000000000003", "shardId-000000000003"), ("Rate exceeded for shard shardId- in stream s", nil),
            ("Rate exceeded for shard", nil), ("", nil), ("shardId-x shardId-000000000004,", "shardId-000000000004"),
            ("sshardId-1", "shardId-1"),
        ] as [(String, String?)])
    func shardIsReadFromTheMessage(message: String, shard: String?) {
        #expect(PutRecordsAnswer.Failure(index: 0, code: "c", message: message).shard == shard)
    }

    @Test func manyShardsAreCountedEach() async throws {
        // Twice, in another order; the last two ids end in the same eight bytes.
        let ids =
            (0..<248).map { "shardId-" + String(1_000_000_000_000 + $0 * 37).dropFirst() } + [
                "a-12345678", "b-12345678",
            ]
        let records = (ids + ids.reversed()).map { #"{"SequenceNumber":"1","ShardId":"\#($0)"}"# }
        let bench = Bench([.json("{\"Records\":[\(records.joined(separator: ","))]}")])
        let answer = try await bench.kinesis.putRecords(stream: "s", batch: putBatch(count: 500))
        #expect(answer.storedCount == 500)
        #expect(answer.storedByShard == Dictionary(uniqueKeysWithValues: ids.map { ($0, 2) }))
    }

    @Test(arguments: [1, 2, 7, 8, 9, 15, 16, 17, 20, 128]) func shardIdsOfAnyLengthAreToldApart(length: Int)
        async throws
    {
        // Equal but for one place; every place in turn, and the same id again at the end.
        let ids = (0...length).map { place in
            String((0..<length).map { $0 == place ? "b" : "a" as Character })
        }
        let records = (ids + ids).map { #"{"SequenceNumber":"1","ShardId":"\#($0)"}"# }.joined(separator: ",")
        let bench = Bench([.json("{\"Records\":[\(records)]}")])
        let answer = try await bench.kinesis.putRecords(stream: "s", batch: putBatch(count: ids.count * 2))
        #expect(answer.storedByShard == Dictionary(uniqueKeysWithValues: ids.map { ($0, 2) }))
    }

    @Test(arguments: [
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"}]}"#, #"{"Records":[]}"#, #"{"FailedRecordCount":0}"#, "{}",
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"},{"ShardId":"s","SequenceNumber":"1"},"#
            + #"{"ShardId":"s","SequenceNumber":"1"}]}"#,
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"},{"ShardId":"s"}]}"#,
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"},{"SequenceNumber":"1"}]}"#,
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"},{"ShardId":"s","SequenceNumber":null}]}"#,
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"},{"ShardId":"","SequenceNumber":"2"}]}"#,
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"},{"ErrorCode":null}]}"#,
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"},7]}"#,
        #"{"Records":[{"ShardId":"s","SequenceNumber":"1"}],"Records":[{"ShardId":"s","SequenceNumber":"1"}]}"#,
    ])
    func answerThatDoesNotFitTheRequestIsNotBelieved(body: String) async {
        let bench = Bench([.json(body)], retry: RetrySettings(attemptsMax: 1))
        let error = await failure { () async throws(AWSError) in
            try await bench.kinesis.putRecords(stream: "s", batch: putBatch(count: 2))
        }
        #expect(error?.category == .malformed)
        #expect(error?.isTransient == true)
    }

    @Test func answerCutAnywhereIsNotBelieved() async throws {
        let whole =
            #"{"FailedRecordCount":1,"Records":[{"SequenceNumber":"49","ShardId":"shardId-0"},"#
            + #"{"ErrorCode":"InternalFailure","ErrorMessage":"m"}],"EncryptionType":"NONE"}"#
        for length in 0..<whole.utf8.count {
            let bench = Bench([.json(String(whole.prefix(length)))], retry: RetrySettings(attemptsMax: 1))
            let error = await failure { () async throws(AWSError) in
                try await bench.kinesis.putRecords(stream: "s", batch: putBatch(count: 2))
            }
            #expect(error?.category == .malformed, "cut at \(length)")
        }
        let bench = Bench([.json(whole)], retry: RetrySettings(attemptsMax: 1))
        #expect(try await bench.kinesis.putRecords(stream: "s", batch: putBatch(count: 2)).storedCount == 1)
    }
}

/// Bytes that a seed decides.
/// Random bytes that a seed repeats.
struct SeededBytes {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }
}
