// Amazon Kinesis Data Streams, API version 2013-12-02: one file an operation. JSON over POST, blobs in base64.

import CivilTime
import HTTP

/// The operations that sluice needs. `stream` is a name or an ARN everywhere.
package struct KinesisClient: Sendable {
    package let client: AWSClient

    package init(client: AWSClient) { self.client = client }

    /// The same client, counting its requests and retries into `counter`.
    package func counting(into counter: RetryCounter) -> KinesisClient {
        KinesisClient(client: client.counting(into: counter))
    }

    /// A whole call may take this long; the largest page has 14 MB of base64.
    static let callTimeout = Duration.seconds(60)
    private static let contentType = "application/x-amz-json-1.1"

    func call(_ action: String, operation: String, subject: String, stream: StreamReference?, body: [UInt8]) -> AWSCall
    {
        var call = AWSCall(
            operation: operation, subject: subject, permission: "kinesis:\(action)",
            resource: stream.map { $0.arn ?? "stream \($0.name) in \(client.endpoint.region)" }
                ?? "the stream in \(client.endpoint.region)")
        call.headers = [
            HTTPHeader("Content-Type", Self.contentType), HTTPHeader("X-Amz-Target", "Kinesis_20131202.\(action)"),
        ]
        call.body = .bytes(body)
        call.payloadHash = SigV4.payloadHash(of: body)
        call.limits.totalTimeout = Self.callTimeout
        return call
    }

    /// Reads a small answer as a tree.
    static func document(_ response: HTTPResponse) throws(AnswerFault) -> JSONValue {
        do throws(JSONFault) {
            return try JSONValue(response.body)
        } catch {
            throw AnswerFault(error)
        }
    }

    /// Seconds with up to three decimals, as AT_TIMESTAMP takes them: cut to the millisecond before, never after.
    static func seconds(_ instant: Timestamp) -> String {
        let milliseconds = instant.milliseconds
        let (seconds, rest) = (instant.seconds, milliseconds - instant.seconds * 1_000)
        guard rest != 0, seconds >= 0 else { return String(seconds) }
        let digits = String(rest)
        return "\(seconds)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}

/// A stream by name or by ARN: `arn:aws:kinesis:us-east-1:123456789012:stream/name`.
struct StreamReference: Equatable {
    var name: String
    var arn: String?

    init(_ nameOrARN: String) {
        if nameOrARN.hasPrefix("arn:"), let slash = nameOrARN.lastIndex(of: "/") {
            name = String(nameOrARN[nameOrARN.index(after: slash)...])
            arn = nameOrARN
        } else {
            name = nameOrARN
        }
    }

    func write(to json: inout JSONText) {
        if let arn { json.member("StreamARN", arn) } else { json.member("StreamName", name) }
    }
}
