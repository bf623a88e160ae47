// Asks S3 whether it would let us PUT, and leaves nothing behind: the body contradicts every digest that is sent with
// it, so S3 refuses it after it has decided who may put (it decides from the headers, before it takes the body:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, "Expect: 100-continue" of the PUT request).

import Diagnostics
import HTTP

extension S3Client {
    /// An ETag that no object has: it is no MD5 of anything, and no multipart form either.
    package static let impossibleETag = "\"sluice-check-0\""

    /// Returns when this identity may put an object with these attributes under `key`; nothing is stored.
    ///
    /// - Throws: the refusal; `ProbeStored` when the store took a body that contradicts its digests.
    package func probePutObject(
        key: String, condition: PutCondition, attributes: ObjectAttributes = .none
    ) async throws(AWSError) {
        var call = call("put object", permission: "s3:PutObject", method: "PUT", key: key)
        let body = Array("sluice check --live: this body is never stored".utf8)
        call.body = .bytes(body)
        // The hash of no bytes is signed and sent for a body that has some; the MD5 is that of no bytes, too.
        call.payloadHash = SigV4.emptyPayloadHash
        call.headers.append(HTTPHeader("Content-MD5", Self.emptyMD5))
        call.companions = Self.companions(attributes)
        switch condition {
        case .none: break
        case .ifAbsent: call.headers.append(HTTPHeader("If-None-Match", "*"))
        case .ifMatch(let etag):
            call.headers.append(HTTPHeader("If-Match", etag))
            call.companions.append(.compareETag)
        }
        call.headers += Self.headers(attributes)
        do throws(AWSError) {
            try await send(call, key: key) { (_: inout HTTPResponse) throws(AnswerFault) in }
        } catch {
            guard Self.refusedForTheBody.contains(error.code) else { throw error }
            return
        }
        var stored = call.error(
            "ProbeStored", "the store took a body that contradicts its digests", category: .refused,
            hint: "look for s3://\(destination.bucket)/\(key), and do not trust this store with an archive")
        stored.exitCode = .damage
        throw stored
    }

    /// What S3 says of the body or of the condition, and so after it has said yes to the caller.
    private static let refusedForTheBody: Set<String> = [
        "BadDigest", "XAmzContentSHA256Mismatch", "PreconditionFailed", "NoSuchKey",
    ]

    /// MD5 of no bytes, base64.
    private static let emptyMD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="
}
