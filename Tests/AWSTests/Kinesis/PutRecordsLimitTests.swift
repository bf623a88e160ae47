// What a batch holds, what is refused before anything is sent, and how long a call may take.
import AWS
import HTTP
import Testing

/// Records of one request.
func putBatch(_ records: [(data: [UInt8], key: String)]) -> PutRecordsBatch {
    var batch = PutRecordsBatch()
    for record in records { batch.append(data: record.data, partitionKey: record.key) }
    return batch
}

func putBatch(count: Int) -> PutRecordsBatch { putBatch((0..<count).map { ([1], "\($0)") }) }

/// An answer that says "stored" for each record.
func putAnswer(_ count: Int) -> String {
    let record = #"{"SequenceNumber":"49","ShardId":"shardId-000000000000"}"#
    return #"{"FailedRecordCount":0,"Records":["#
        + Array(repeating: record, count: count).joined(separator: ",") + "]}"
}

struct PutRecordsLimitTests {
    @Test(arguments: [(500, true), (501, false)]) func requestHoldsAtMost500Records(count: Int, fits: Bool) async {
        #expect(await isSent(putBatch(count: count)) == fits)
    }

    @Test(arguments: [(10 << 20, true), (10 << 20 + 1, false)])
    func requestHoldsAtMostTenMebibytesOfDataAndKeys(bytes: Int, fits: Bool) async {
        #expect(await isSent(putBatch([([UInt8](repeating: 0x41, count: bytes - 1), "k")])) == fits)
    }

    @Test(arguments: [
        ("", false), ("k", true), (String(repeating: "k", count: 256), true),
        (String(repeating: "k", count: 257), false), (String(repeating: "é", count: 256), true),
        (String(repeating: "é", count: 257), false), (String(repeating: "\u{1}", count: 256), true),
    ])
    func partitionKeyHas1To256Characters(key: String, fits: Bool) async {
        #expect(await isSent(putBatch([([1], "k"), ([1], key)])) == fits)
    }

    /// True when the batch went out; a refusal must come before that.
    private func isSent(_ batch: PutRecordsBatch) async -> Bool {
        let bench = Bench([.json(putAnswer(batch.count))])
        let error = await failure { () async throws(AWSError) in
            try await bench.kinesis.putRecords(stream: "s", batch: batch)
        }
        #expect(error == nil || error?.category == .refused)
        #expect(bench.server.requests.count == (error == nil ? 1 : 0))
        return error == nil
    }

    @Test func nothingToPutAsksNothing() async throws {
        let bench = Bench([])
        #expect(try await bench.kinesis.putRecords(stream: "s", batch: PutRecordsBatch()) == PutRecordsAnswer())
        #expect(bench.server.requests.isEmpty)
    }

    @Test(arguments: [(1, 60), (1 << 20, 145), (10 << 20, 913)])
    func timeForACallGrowsWithItsRequest(bytes: Int, seconds: Int) async throws {
        let bench = Bench([.json(putAnswer(1))])
        _ = try await bench.kinesis.putRecords(
            stream: "s", batch: putBatch([([UInt8](repeating: 0, count: bytes - 1), "k")]))
        #expect(bench.server.requests[0].limits.totalTimeout == .seconds(seconds))
    }

    // MARK: - Batch

    @Test func batchGivesBackWhatItHolds() {
        var batch = putBatch([([1, 2, 3], "a"), ([], "bc")])
        batch.append(data: [4], partitionKey: "é", explicitHashKey: 9)
        #expect(batch.count == 3)
        #expect(batch.bytes == 4 + 2 + 3)
        #expect((0..<3).map { Array(batch.data($0)) } == [[1, 2, 3], [], [4]])
        #expect((0..<3).map { batch.partitionKey($0) } == ["a", "bc", "é"])
        #expect((0..<3).map { batch.recordBytes($0) } == [4, 2, 3])
        #expect((0..<3).map { batch.explicitHashKey($0) } == [nil, nil, 9])

        var copy = PutRecordsBatch()
        copy.append(2, of: batch)
        copy.append(0, of: batch)
        var expected = PutRecordsBatch()
        expected.append(data: [4], partitionKey: "é", explicitHashKey: 9)
        expected.append(data: [1, 2, 3], partitionKey: "a")
        #expect(copy == expected)
        #expect(copy != batch)

        copy.removeAll(keepingCapacity: true)
        #expect(copy.isEmpty)
        #expect(copy.bytes == 0)
        #expect(copy == PutRecordsBatch())
    }
}
