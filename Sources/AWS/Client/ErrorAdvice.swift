/// What an operator can do about a failed call. Nil when the cause says it all.
enum ErrorAdvice {
    static func hint(code: String, category: AWSErrorCategory, call: AWSCall) -> String? {
        if let known = known(code, call) { return known }
        if code.hasPrefix("KMS"), category == .permission {
            return "check the KMS key of \(call.resource): state, key policy, and kms:Decrypt (and "
                + "kms:GenerateDataKey to write) for this identity"
        }
        switch category {
        case .permission:
            let besides = call.companions.map { ", and \($0.permission.rawValue) \($0.reason)" }.joined()
            let end = besides.isEmpty ? "" : ","
            return "allow \(call.permission) on \(call.resource)\(besides)\(end) for this identity; `sluice policy` "
                + "prints the policy that a job needs"
        case .throttling: return "too many readers or writers share \(call.resource)"
        case .malformed: return "if it stays, check what answers under the endpoint (proxy, AWS_ENDPOINT_URL)"
        case .transient, .missing, .precondition, .refused, .cancelled: return nil
        }
    }

    private static func known(_ code: String, _ call: AWSCall) -> String? {
        switch code {
        case "ResourceNotFoundException":
            "check the name of the stream, the region and the account of the credentials: \(call.resource)"
        case "NoSuchBucket": "check the name of the bucket, or create it: \(call.resource)"
        case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
            "IncompleteSignatureException":
            "check the secret access key and this machine's clock; a proxy must not change headers or the path"
        case "InvalidAccessKeyId", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidToken":
            "the access key is unknown here: check the credentials, and AWS_SESSION_TOKEN for temporary keys"
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
            "the temporary credentials have expired and their source gives no newer ones: renew them"
        case "MissingAuthenticationToken", "MissingAuthenticationTokenException":
            "the request came without signature: check proxies on the way"
        case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture": "set this machine's clock (NTP)"
        case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException":
            "the bucket lies in another region: set destination.region"
        case "NotImplemented": "this S3-compatible store lacks the feature"
        case "XAmzContentSHA256Mismatch", "BadDigest": "the body changed on the way: check proxies and memory"
        case "EntityTooLarge": "lower seal.bytes: one object is one PUT of at most 5 GiB"
        default: nil
        }
    }
}
