package import CivilTime
import HTTP

/// Where reading starts: the five iterator types.
package enum IteratorPosition: Sendable, Equatable {
    /// The oldest record that is still there.
    case trimHorizon
    /// Only what arrives from now on.
    case latest
    /// The first record that arrived at or after the instant, to the millisecond.
    case atTimestamp(Timestamp)
    case atSequence(String)
    case afterSequence(String)
}

extension KinesisClient {
    /// An iterator lives five minutes. 5 calls a second and shard.
    /// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
    package func getShardIterator(
        stream: String, shard: String, position: IteratorPosition
    ) async throws(AWSError) -> String {
        let reference = StreamReference(stream)
        var json = JSONText()
        json.object { json in
            reference.write(to: &json)
            json.member("ShardId", shard)
            switch position {
            case .trimHorizon: json.member("ShardIteratorType", "TRIM_HORIZON")
            case .latest: json.member("ShardIteratorType", "LATEST")
            case .atTimestamp(let instant):
                json.member("ShardIteratorType", "AT_TIMESTAMP")
                json.member("Timestamp", number: Self.seconds(instant))
            case .atSequence(let sequence):
                json.member("ShardIteratorType", "AT_SEQUENCE_NUMBER")
                json.member("StartingSequenceNumber", sequence)
            case .afterSequence(let sequence):
                json.member("ShardIteratorType", "AFTER_SEQUENCE_NUMBER")
                json.member("StartingSequenceNumber", sequence)
            }
        }
        let call = call(
            "GetShardIterator", operation: "get iterator of", subject: "\(reference.name)/\(shard)",
            stream: reference, body: json.bytes)
        return try await client.send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            guard let iterator = try Self.document(response)["ShardIterator"]?.string, !iterator.isEmpty else {
                throw AnswerFault("an answer without ShardIterator")
            }
            return iterator
        }
    }
}
