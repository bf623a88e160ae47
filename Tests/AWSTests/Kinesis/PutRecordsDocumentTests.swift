// A batch keeps the document that goes out: it must be the same however the batch came about.
import AWS
import HTTP
import Testing

struct PutRecordsDocumentTests {
    private static let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    private static let keys = ["k", "web1/drupal.log/0a1b2c3d/42", "a\"\\\u{1}é", "ü/ä"]

    private func record(_ number: Int, _ random: inout SeededBytes) -> (data: [UInt8], key: String, hash: UInt128?) {
        let length = Int(random.bytes(1)[0])
        return (random.bytes(length), Self.keys[number % 4], number % 3 == 0 ? UInt128(number) << 99 : nil)
    }

    private func sent(_ batch: PutRecordsBatch, to stream: String) async throws -> String {
        let bench = Bench([.json(putAnswer(batch.count))])
        _ = try await bench.kinesis.putRecords(stream: stream, batch: batch)
        return bench.server.requests[0].bodyText
    }

    @Test func requestDoesNotDependOnTheStreamThatTheBatchWasMadeFor() async throws {
        var random = SeededBytes(seed: 5)
        let records = (0..<40).map { record($0, &random) }
        for stream in ["s", Self.arn] {
            var bodies: Set<String> = []
            for origin in ["", "s", "another-stream", Self.arn] {
                var batch = PutRecordsBatch(stream: origin)
                for record in records {
                    batch.append(data: record.data, partitionKey: record.key, explicitHashKey: record.hash)
                }
                bodies.insert(try await sent(batch, to: stream))
            }
            #expect(bodies.count == 1, "seed 5, stream \(stream)")
        }
    }

    @Test func copiedRecordsGoOutAsTheyDidAtFirst() async throws {
        var random = SeededBytes(seed: 6)
        let records = (0..<40).map { record($0, &random) }
        var whole = PutRecordsBatch(stream: "s")
        for record in records {
            whole.append(data: record.data, partitionKey: record.key, explicitHashKey: record.hash)
        }
        let chosen = [39, 0, 7, 8, 8, 21]
        var copied = whole.empty()
        var direct = PutRecordsBatch(stream: "s")
        for index in chosen {
            copied.append(index, of: whole)
            let record = records[index]
            direct.append(data: record.data, partitionKey: record.key, explicitHashKey: record.hash)
        }
        #expect(copied == direct)
        #expect(try await sent(copied, to: "s") == sent(direct, to: "s"))
        for (place, index) in chosen.enumerated() {
            let record = records[index]
            #expect(copied.data(place) == record.data, "seed 6, record \(index)")
            #expect(copied.partitionKey(place) == record.key, "seed 6, record \(index)")
            #expect(copied.explicitHashKey(place) == record.hash, "seed 6, record \(index)")
            #expect(copied.recordBytes(place) == record.data.count + record.key.utf8.count)
        }
    }
}
