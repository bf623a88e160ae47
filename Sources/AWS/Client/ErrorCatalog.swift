// The error codes that matter, by kind. Lists: AWS SDK reference guide "Retry behavior" (standard mode), the KMS and
// S3 error tables, and what S3-compatible stores send.

package enum ErrorCatalog {
    /// What an error code and status mean. `status` 2xx comes with an `<Error>` document that S3 sent with a 200.
    package static func category(code: String, status: Int) -> AWSErrorCategory {
        if throttling.contains(code) { return .throttling }
        if transient.contains(code) { return .transient }
        if code == "PreconditionFailed" { return .precondition }
        if missing.contains(code) { return .missing }
        if permission.contains(code) || code.hasPrefix("KMS") { return .permission }
        switch status {
        case 429: return .throttling
        case 500, 502, 503, 504: return .transient
        case 200..<300: return .transient
        case 401, 403: return .permission
        case 404: return .missing
        case 412: return .precondition
        default: return .refused
        }
    }

    /// The names for answers without a body (HEAD): S3 sends the status alone.
    package static func code(status: Int) -> String {
        switch status {
        case 301, 308: "PermanentRedirect"
        case 302, 303, 307: "TemporaryRedirect"
        case 400: "BadRequest"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "NotFound"
        case 405: "MethodNotAllowed"
        case 409: "Conflict"
        case 412: "PreconditionFailed"
        case 429: "TooManyRequests"
        case 500: "InternalError"
        case 501: "NotImplemented"
        case 502: "BadGateway"
        case 503: "ServiceUnavailable"
        case 504: "GatewayTimeout"
        default: "Unknown"
        }
    }

    /// The caller is known and a policy says no. The other codes of `permission` are about keys, signature and clock.
    package static let deniedByPolicy: Set<String> = [
        "AccessDenied", "AccessDeniedException", "UnauthorizedAccess", "Forbidden", "Unauthorized",
    ]

    package static let expiredCredentials: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
    ]

    /// An iterator or page token is too old: the caller gets a new one and goes on.
    package static let expiredPositions: Set<String> = ["ExpiredIteratorException", "ExpiredNextTokenException"]

    /// The server names the clock as the reason.
    package static let clockSkew: Set<String> = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]

    /// The clock may be the reason, if the Date of the answer says so. `Forbidden` and `BadRequest` stand for HEAD.
    package static let maybeClockSkew: Set<String> = [
        "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", "Forbidden",
    ]

    /// The body was damaged on the way: worth one more try, and no more.
    package static let damagedOnTheWay: Set<String> = ["BadDigest", "XAmzContentSHA256Mismatch"]

    private static let throttling: Set<String> = [
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown",
        "PriorRequestNotComplete", "EC2ThrottledException", "KMSThrottlingException", "TooManyRequests",
        "ActiveStatementsExceededException", "ActiveSessionsExceededException",
    ]

    private static let transient: Set<String> = [
        "RequestTimeout", "RequestTimeoutException", "InternalError", "InternalFailure", "InternalFailureException",
        "InternalServerError", "InternalServerException", "ServiceUnavailable", "ServiceUnavailableException",
        "IDPCommunicationError", "ConditionalRequestConflict",
        // Of the Redshift Data API: the way to the database failed, not the statement.
        "BatchExecuteStatementException", "ExecuteStatementException", "DatabaseConnectionException",
        "QueryTimeoutException",
    ]

    private static let missing: Set<String> = [
        "ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "NotFound",
    ]

    private static let permission: Set<String> = [
        "AccessDenied", "AccessDeniedException", "UnauthorizedAccess", "Forbidden", "Unauthorized",
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
        "IncompleteSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
        "UnrecognizedClientException", "InvalidClientTokenId", "InvalidToken", "AuthFailure", "ExpiredToken",
        "ExpiredTokenException", "TokenRefreshRequired", "RequestTimeTooSkewed", "RequestExpired",
        "RequestInTheFuture", "OptInRequired", "AllAccessDisabled", "AccountProblem", "NotSignedUp",
        "InvalidSecurity", "InvalidPayer",
    ]
}
