// Asks Kinesis whether it would let us put records, and puts none: the record's hash key lies just past the last one
// that a shard can have, 2^128 - 1. It fits the form that the API demands (39 digits), so that only the service itself
// can refuse it. AWS does not document that the caller is checked before that.

import Diagnostics
import HTTP

extension KinesisClient {
    /// No shard's range holds it.
    static let impossibleHashKey = "340282366920938463463374607431768211456"

    /// Returns when the request was refused for its hash key and not for its caller.
    package func probePutRecords(stream: String) async throws(AWSError) {
        let reference = StreamReference(stream)
        var json = JSONText()
        json.object { json in
            reference.write(to: &json)
            json.array("Records") { json in
                json.object {
                    $0.member("Data", Base64.text(Array("sluice check --live".utf8)))
                    $0.member("PartitionKey", "sluice-check")
                    $0.member("ExplicitHashKey", Self.impossibleHashKey)
                }
            }
        }
        let call = call(
            "PutRecords", operation: "put records to", subject: reference.name, stream: reference, body: json.bytes)
        do throws(AWSError) {
            try await client.send(call) { (_: inout HTTPResponse) throws(AnswerFault) in }
        } catch {
            guard error.code == "InvalidArgumentException" else { throw error }
            return
        }
        var stored = call.error(
            "ProbeStored", "the stream took a record whose hash key no shard has", category: .refused,
            hint: "look for a record with the partition key sluice-check on \(reference.name)")
        stored.exitCode = .damage
        throw stored
    }
}
