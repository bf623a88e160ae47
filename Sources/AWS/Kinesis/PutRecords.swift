import HTTP

package struct PutRecordsEntry: Sendable, Equatable {
    package var data: [UInt8]
    /// 1 to 256 characters; its MD5 chooses the shard unless `explicitHashKey` does.
    package var partitionKey: String
    package var explicitHashKey: String?

    package init(data: [UInt8], partitionKey: String, explicitHashKey: String? = nil) {
        self.data = data
        self.partitionKey = partitionKey
        self.explicitHashKey = explicitHashKey
    }
}

package enum PutRecordsOutcome: Sendable, Equatable {
    case stored(shard: String, sequence: String)
    /// Not stored; send this entry again. The code is ProvisionedThroughputExceededException or InternalFailure.
    case failed(code: String, message: String)
}

extension KinesisClient {
    package static let entriesPerPutMax = 500
    /// Data and partition keys of one request together.
    package static let putBytesMax = 10 << 20

    /// Puts up to 500 records of at most 10 MiB together; gives one outcome an entry, in their order. Some may fail in
    /// an answer that succeeds. When an answer is lost the whole request is sent again: records may be stored twice.
    /// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
    package func putRecords(stream: String, entries: [PutRecordsEntry]) async throws(AWSError) -> [PutRecordsOutcome] {
        guard !entries.isEmpty else { return [] }
        let reference = StreamReference(stream)
        let bytes = entries.reduce(0) { $0 + $1.data.count + $1.partitionKey.utf8.count }
        var json = JSONText(capacity: bytes / 3 * 4 + entries.count * 96 + 128)
        json.object { json in
            reference.write(to: &json)
            json.array("Records") { json in
                for entry in entries {
                    json.object {
                        $0.member("Data", base64: entry.data)
                        $0.member("PartitionKey", entry.partitionKey)
                        $0.member("ExplicitHashKey", entry.explicitHashKey)
                    }
                }
            }
        }
        let call = call(
            "PutRecords", operation: "put records to", subject: reference.name, stream: reference, body: json.bytes)
        guard entries.count <= Self.entriesPerPutMax, bytes <= Self.putBytesMax else {
            throw call.error(
                "RequestTooLarge", "\(entries.count) records of \(bytes) bytes in one request", category: .refused)
        }
        let expected = entries.count
        return try await client.send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            try Self.outcomes(response, expected: expected)
        }
    }

    private static func outcomes(
        _ response: HTTPResponse, expected: Int
    ) throws(AnswerFault) -> [PutRecordsOutcome] {
        guard let elements = try document(response)["Records"]?.array, elements.count == expected else {
            throw AnswerFault("an answer with another number of records than were sent")
        }
        var outcomes: [PutRecordsOutcome] = []
        for element in elements {
            if let code = element["ErrorCode"]?.string {
                outcomes.append(.failed(code: code, message: element["ErrorMessage"]?.string ?? ""))
            } else if let shard = element["ShardId"]?.string, let sequence = element["SequenceNumber"]?.string {
                outcomes.append(.stored(shard: shard, sequence: sequence))
            } else {
                throw AnswerFault("a record with neither sequence number nor error")
            }
        }
        return outcomes
    }
}
