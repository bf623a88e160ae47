// Amazon S3 and stores that speak its API: one file an operation. Every body is signed by its SHA-256, every object is
// one PUT, and a key reaches the wire encoded once and otherwise untouched.

import Diagnostics
import HTTP
import Synchronization

/// The bucket that a client works on.
package struct S3Destination: Sendable, Equatable {
    package var bucket: String
    package var region: String
    /// `host/bucket/key` instead of `bucket.host/key`; nil decides by endpoint and name.
    package var pathStyle: Bool?
    /// Account id; S3 then refuses a bucket that somebody else owns under this name.
    package var expectedBucketOwner: String?

    package init(
        bucket: String, region: String, pathStyle: Bool? = nil, expectedBucketOwner: String? = nil
    ) {
        self.bucket = bucket
        self.region = region
        self.pathStyle = pathStyle
        self.expectedBucketOwner = expectedBucketOwner
    }
}

package struct S3Client: Sendable {
    package let client: AWSClient
    package let destination: S3Destination
    /// Send `x-amz-checksum-sha256` with a PUT, so that AWS stores the digest. Some compatible stores refuse it.
    package let sendsChecksum: Bool

    private let regionCache: BucketRegion
    private let log: (@Sendable (String) -> Void)?

    /// - Parameters:
    ///   - sendsChecksum: nil: only to endpoints of AWS itself.
    ///   - log: takes one line when the bucket turns out to lie in another region.
    package init(
        client: AWSClient, destination: S3Destination, sendsChecksum: Bool? = nil,
        log: (@Sendable (String) -> Void)? = nil
    ) {
        self.client = client
        self.destination = destination
        self.sendsChecksum = sendsChecksum ?? !client.endpoint.isCustom
        self.log = log
        regionCache = BucketRegion()
    }

    private init(_ other: S3Client, counter: RetryCounter) {
        client = other.client.counting(into: counter)
        destination = other.destination
        sendsChecksum = other.sendsChecksum
        log = other.log
        regionCache = other.regionCache
    }

    /// The same client, counting its requests and retries into `counter`.
    package func counting(into counter: RetryCounter) -> S3Client { S3Client(self, counter: counter) }

    func call(_ operation: String, permission: String, method: String, key: String? = nil) -> AWSCall {
        var resource = "arn:aws:s3:::\(destination.bucket)"
        if let key { resource += "/\(key)" }
        var call = AWSCall(
            operation: operation, subject: "s3://\(destination.bucket)/\(key ?? "")", permission: permission,
            resource: resource)
        call.method = method
        call.errorFormat = .xml
        if let owner = destination.expectedBucketOwner {
            call.headers.append(HTTPHeader("x-amz-expected-bucket-owner", owner))
        }
        return call
    }

    /// Sends `call` about `key` (nil: about the bucket) to the bucket's region; once more, signed anew, when S3 says
    /// that the bucket lies elsewhere. The region found is kept for later calls.
    func send<Answer>(
        _ call: AWSCall, key: String?, decode: (inout HTTPResponse) throws(AnswerFault) -> Answer
    ) async throws(AWSError) -> Answer {
        if let key { try Self.check(key, call) }
        let region = regionCache.region ?? destination.region
        do throws(AWSError) {
            return try await client.send(addressed(call, key: key, region: region), decode: decode)
        } catch {
            guard let found = await newRegion(after: error, call: call), found != region else { throw error }
            regionCache.set(found)
            log?("bucket \(destination.bucket) lies in \(found), not in \(region): set destination.region")
            client.counter.noteRetry(isThrottling: false)
            return try await client.send(addressed(call, key: key, region: found), decode: decode)
        }
    }

    private func addressed(_ call: AWSCall, key: String?, region: String) -> AWSCall {
        let address = S3Address(destination, endpoint: client.endpoint, region: region)
        var call = call
        call.region = region
        call.host = address.host
        call.path = address.path(key: key)
        return call
    }

    /// Codes that mean "ask another region"; HEAD has no code but its status.
    private static let redirects: Set<String> = [
        "PermanentRedirect", "TemporaryRedirect", "Redirect", "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException", "BadRequest",
    ]

    private func newRegion(after error: AWSError, call: AWSCall) async -> String? {
        guard Self.redirects.contains(error.code) else { return nil }
        if let region = error.bucketRegion { return Self.isRegion(region) ? region : nil }
        guard call.operation != Self.headBucketOperation else { return nil }
        // The answer does not say where: the bucket's own HEAD does, whatever its status.
        let head = addressed(headBucketCall, key: nil, region: destination.region)
        do throws(AWSError) {
            return try await client.send(head) { (response: inout HTTPResponse) throws(AnswerFault) in
                response.header("x-amz-bucket-region")
            }
        } catch {
            return error.bucketRegion.flatMap { Self.isRegion($0) ? $0 : nil }
        }
    }

    /// The region goes into a host name.
    private static func isRegion(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    /// Longest key, in bytes of UTF-8.
    package static let keyBytesMax = 1_024

    /// An empty key would address the bucket itself.
    private static func check(_ key: String, _ call: AWSCall) throws(AWSError) {
        guard (1...keyBytesMax).contains(key.utf8.count) else {
            throw call.error(
                "InvalidKey", "a key has 1 to \(keyBytesMax) bytes, this one \(key.utf8.count)", category: .refused)
        }
    }
}

/// Where the bucket was found to lie, shared by all copies of a client.
private final class BucketRegion: Sendable {
    private let found = Mutex<String?>(nil)
    var region: String? { found.withLock { $0 } }
    func set(_ region: String) { found.withLock { $0 = region } }
}
