import CivilTime
import HTTP

extension KinesisClient {
    /// Most records Kinesis gives in one page.
    package static let recordsPerPageMax = 10_000

    /// The next page. 5 calls and 2 MB a second and shard, over all its readers; pacing is the caller's part.
    /// `limit` 1...10,000 bounds the records of the page; nil leaves it to Kinesis.
    /// `subject` names the shard in messages, as the iterator does not: `my_stream/shardId-000000000001`.
    /// An answer that is cut or garbled anywhere is no page: it is asked for again with the same iterator.
    /// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    package func getRecords(
        iterator: String, limit: Int? = nil, subject: String = "a shard"
    ) async throws(AWSError) -> GetRecordsPage {
        var json = JSONText()
        json.object { json in
            json.member("ShardIterator", iterator)
            if let limit {
                json.member("Limit", number: String(max(1, min(limit, Self.recordsPerPageMax))))
            }
        }
        let call = call("GetRecords", operation: "get records of", subject: subject, stream: nil, body: json.bytes)
        let time = client.time
        return try await client.send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            let serverDate = response.header("date").flatMap(HTTPDate.parse) ?? time.now()
            // Taken out, not shared: the page is decoded in place without a copy.
            var body: [UInt8] = []
            swap(&body, &response.body)
            do throws(JSONFault) {
                return try GetRecordsPage(body: body, serverDate: serverDate)
            } catch {
                throw AnswerFault(error)
            }
        }
    }
}
