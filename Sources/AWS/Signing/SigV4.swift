// AWS Signature Version 4 in stages that can be called and checked one by one:
// canonical request -> string to sign -> signature -> Authorization header (or query, for presigned URLs).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// Pure: the instant and the keys come in as values; nothing here prints or keeps them.

package import CivilTime
import Crypto
package import HTTP

/// How a service wants to be signed.
package struct SigningRules: Sendable, Equatable {
    /// Resolve `.`, `..` and `//` in the canonical path. S3 keys are taken as they are.
    package var normalizesPath: Bool
    /// The path on the wire is encoded already; all services but S3 want it encoded once more when signing.
    package var encodesPathAgain: Bool
    /// Send and sign `x-amz-content-sha256`; S3 insists on it.
    package var sendsPayloadHash: Bool
    /// False: the session token is added after signing. Only some IoT endpoints want that.
    package var signsSessionToken: Bool

    package init(normalizesPath: Bool, encodesPathAgain: Bool, sendsPayloadHash: Bool, signsSessionToken: Bool = true) {
        self.normalizesPath = normalizesPath
        self.encodesPathAgain = encodesPathAgain
        self.sendsPayloadHash = sendsPayloadHash
        self.signsSessionToken = signsSessionToken
    }

    package static let general = SigningRules(normalizesPath: true, encodesPathAgain: true, sendsPayloadHash: false)
    package static let s3 = SigningRules(normalizesPath: false, encodesPathAgain: false, sendsPayloadHash: true)

    /// The rules for a signing name.
    package static func rules(for service: String) -> SigningRules { service == "s3" ? s3 : general }
}

/// What is signed of a request. `path` and `query` are as on the wire; `headers` include Host.
package struct SigningRequest: Sendable, Equatable {
    package var method: String
    package var path: String
    package var query: String?
    package var headers: [HTTPHeader]
    /// Lower-case hex SHA-256 of the body.
    package var payloadHash: String

    package init(method: String, path: String, query: String?, headers: [HTTPHeader], payloadHash: String) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.payloadHash = payloadHash
    }
}

package struct SigV4: Sendable {
    package var region: String
    /// The signing name in the credential scope: `kinesis`, `s3`, `sts`, `dynamodb`.
    package var service: String
    package var rules: SigningRules
    private let keys: SigningKeys

    /// - Parameters:
    ///   - rules: default to what the service wants.
    ///   - keys: shared by those who sign with the same keys again and again.
    package init(region: String, service: String, rules: SigningRules? = nil, keys: SigningKeys = SigningKeys()) {
        self.keys = keys
        self.region = region
        self.service = service
        self.rules = rules ?? SigningRules.rules(for: service)
    }

    package static let algorithm = "AWS4-HMAC-SHA256"
    /// SHA-256 of no bytes.
    package static let emptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    package static func payloadHash(of bytes: [UInt8]) -> String {
        bytes.isEmpty ? emptyPayloadHash : hexText(SHA256.hash(data: bytes))
    }

    /// `20150830/us-east-1/service/aws4_request`.
    package func scope(at time: SigningTime) -> String { "\(time.date)/\(region)/\(service)/aws4_request" }

    package func stringToSign(canonicalRequest: String, at time: SigningTime) -> String {
        let digest = hexText(SHA256.hash(data: Array(canonicalRequest.utf8)))
        return "\(Self.algorithm)\n\(time.text)\n\(scope(at: time))\n\(digest)"
    }

    package func signature(stringToSign: String, secretAccessKey: Secret, at time: SigningTime) -> String {
        let key = keys.key(SigningKeyScope(secret: secretAccessKey, date: time.date, region: region, service: service))
        return hexText(HMAC<SHA256>.authenticationCode(for: Array(stringToSign.utf8), using: key))
    }

    /// The headers to add to `request` so that the service accepts it: X-Amz-Date, the session token, the payload
    /// hash where the rules want it, and Authorization. Headers of these names must not be there yet, X-Amz-Date and
    /// the token excepted: a date in `request` must equal `instant`.
    package func headers(signing request: SigningRequest, with credentials: Credentials, at instant: Timestamp)
        -> [HTTPHeader]
    {
        let time = SigningTime(instant)
        let prepared = preparedForHeaders(request, credentials: credentials, at: time)
        let canonical = canonicalRequest(prepared)
        let signature = signature(
            stringToSign: stringToSign(canonicalRequest: canonical.text, at: time),
            secretAccessKey: credentials.secretAccessKey, at: time)
        var added = Array(prepared.headers.dropFirst(request.headers.count))
        if !rules.signsSessionToken, let token = credentials.sessionToken {
            added.append(HTTPHeader("X-Amz-Security-Token", token.revealed))
        }
        let value =
            "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope(at: time)), "
            + "SignedHeaders=\(canonical.signedHeaders), Signature=\(signature)"
        added.append(HTTPHeader("Authorization", value))
        return added
    }

    /// `request` with the headers that are signed but not there yet, before the canonical request is taken.
    package func preparedForHeaders(_ request: SigningRequest, credentials: Credentials, at time: SigningTime)
        -> SigningRequest
    {
        var prepared = request
        let present = Set(request.headers.map { $0.name.lowercased() })
        if rules.signsSessionToken, let token = credentials.sessionToken, !present.contains("x-amz-security-token") {
            prepared.headers.append(HTTPHeader("X-Amz-Security-Token", token.revealed))
        }
        if !present.contains("x-amz-date") { prepared.headers.append(HTTPHeader("X-Amz-Date", time.text)) }
        if rules.sendsPayloadHash, !present.contains("x-amz-content-sha256") {
            prepared.headers.append(HTTPHeader("X-Amz-Content-Sha256", request.payloadHash))
        }
        return prepared
    }
}
