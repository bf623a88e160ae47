package import CivilTime
import HTTP

/// What identifies a stream and bounds what can be read of it.
package struct StreamSummary: Sendable, Equatable {
    package var name: String
    package var arn: String
    /// `ACTIVE`, `UPDATING`, `CREATING`, `DELETING`.
    package var status: String
    /// Tells a stream from an older one of the same name.
    package var creation: Timestamp
    package var retentionHours: Int
    package var openShardCount: Int
    /// The KMS key that encrypts the records: id, ARN or alias; nil when none does.
    package var kmsKeyID: String?
    /// The answer's Date: the clock that arrival times and retention go by. Nil when it had none.
    package var serverDate: Timestamp?

    package init(
        name: String, arn: String, status: String, creation: Timestamp, retentionHours: Int, openShardCount: Int,
        kmsKeyID: String? = nil, serverDate: Timestamp? = nil
    ) {
        self.name = name
        self.arn = arn
        self.status = status
        self.creation = creation
        self.retentionHours = retentionHours
        self.openShardCount = openShardCount
        self.kmsKeyID = kmsKeyID
        self.serverDate = serverDate
    }
}

extension KinesisClient {
    /// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DescribeStreamSummary.html (20 calls a second).
    package func describeStreamSummary(stream: String) async throws(AWSError) -> StreamSummary {
        let reference = StreamReference(stream)
        var json = JSONText()
        json.object { reference.write(to: &$0) }
        let call = call(
            "DescribeStreamSummary", operation: "describe stream", subject: reference.name, stream: reference,
            body: json.bytes)
        return try await client.send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            let summary = try Self.document(response)["StreamDescriptionSummary"]
            guard let summary, let name = summary["StreamName"]?.string, let arn = summary["StreamARN"]?.string,
                let status = summary["StreamStatus"]?.string,
                let created = summary["StreamCreationTimestamp"]?.microseconds,
                let retention = summary["RetentionPeriodHours"]?.int, let open = summary["OpenShardCount"]?.int
            else { throw AnswerFault("a stream summary lacks a member") }
            return StreamSummary(
                name: name, arn: arn, status: status, creation: Timestamp(microseconds: created),
                retentionHours: Int(retention), openShardCount: Int(open),
                kmsKeyID: summary["EncryptionType"]?.string == "KMS" ? summary["KeyId"]?.string : nil,
                serverDate: response.header("date").flatMap(HTTPDate.parse))
        }
    }
}
