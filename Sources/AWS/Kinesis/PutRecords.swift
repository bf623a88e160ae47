import HTTP

extension KinesisClient {
    package static let recordsPerPutMax = 500
    /// Data and partition keys of one request together.
    package static let putBytesMax = 10 << 20
    /// Characters of a partition key, of which there is at least one.
    package static let partitionKeyLengthMax = 256
    /// The answer has a sequence number or an error message for each record: about 150 bytes, and seldom 300.
    static let putAnswerBytesMax = 4 << 20
    /// A line this slow may still carry a request; the usual time for a call comes on top. A line that stands still
    /// ends the call much sooner (`HTTPLimits.lowSpeedTime`).
    static let putBytesPerSecondMin = 16 << 10

    /// Puts up to 500 records of at most 10 MiB together. Some may fail in an answer that succeeds. When an answer is
    /// lost the whole request is sent again, as often as this client's `RetrySettings` say: records may be stored twice.
    /// - Parameter freshConnection: sends on a new connection, to an address looked up anew.
    /// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
    package func putRecords(
        stream: String, batch: PutRecordsBatch, freshConnection: Bool = false
    ) async throws(AWSError) -> PutRecordsAnswer {
        guard !batch.isEmpty else { return PutRecordsAnswer() }
        let reference = StreamReference(stream)
        if let refusal = Self.refusal(of: batch) {
            throw putCall(reference, body: []).error(refusal.code, refusal.message, category: .refused)
        }
        var call = putCall(reference, body: batch.body(stream: stream))
        call.wantsFreshConnection = freshConnection
        let expected = batch.count
        return try await client.send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            try PutRecordsScan.run(response.body, expected: expected)
        }
    }

    private func putCall(_ stream: StreamReference, body: [UInt8]) -> AWSCall {
        var call = call("PutRecords", operation: "put records to", subject: stream.name, stream: stream, body: body)
        call.limits.totalTimeout = Self.callTimeout + .seconds(body.count / Self.putBytesPerSecondMin)
        call.limits.responseBytesMax = Self.putAnswerBytesMax
        return call
    }

    /// Why Kinesis would refuse the whole request, as far as it can be told without knowing the stream.
    private static func refusal(of batch: PutRecordsBatch) -> (code: String, message: String)? {
        guard batch.count <= recordsPerPutMax, batch.bytes <= putBytesMax else {
            return ("RequestTooLarge", "\(batch.count) records of \(batch.bytes) bytes in one request")
        }
        for index in 0..<batch.count {
            let length = batch.partitionKeyLength(index)
            if !(1...partitionKeyLengthMax).contains(length) {
                return (
                    "InvalidPartitionKey",
                    "the partition key of record \(index) has \(length) characters, not 1 to \(partitionKeyLengthMax)"
                )
            }
        }
        return nil
    }
}
