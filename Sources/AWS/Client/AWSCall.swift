package import HTTP

/// One request as an operation describes it; the client adds host, date, signature and patience.
package struct AWSCall: Sendable {
    package enum ErrorFormat: Sendable { case json, xml }

    /// As a phrase, for messages: `put object`.
    package var operation: String
    /// What it is about: `my_stream/shardId-000000000001`, `s3://bucket/key`.
    package var subject: String
    /// The IAM action: `s3:PutObject`.
    package var permission: String
    /// What the action is asked for, for advice: `stream my_stream in us-east-1`, `arn:aws:s3:::bucket/key`.
    package var resource: String
    /// What the call needs besides `permission`.
    package var companions: [Companion] = []

    package var method = "POST"
    /// Nil: the endpoint's host.
    package var host: String?
    /// Nil: the endpoint's region.
    package var region: String?
    /// Percent-encoded.
    package var path = "/"
    package var query: String?
    /// Without Host and Content-Length.
    package var headers: [HTTPHeader] = []
    package var body: HTTPBody = .none
    /// Lower-case hex SHA-256 of the body.
    package var payloadHash = SigV4.emptyPayloadHash
    package var limits = HTTPLimits()
    /// Sends the first try on a new connection, to an address looked up anew; later tries choose by themselves.
    package var wantsFreshConnection = false
    package var errorFormat = ErrorFormat.json
    /// S3 sends some failures as an `<Error>` document with status 200. False where the body is the caller's own data.
    package var mayHideErrorInSuccess = false

    package init(operation: String, subject: String, permission: String, resource: String) {
        self.operation = operation
        self.subject = subject
        self.permission = permission
        self.resource = resource
    }

    /// An error of this call that no server sent.
    package func error(_ code: String, _ message: String, category: AWSErrorCategory, hint: String? = nil) -> AWSError {
        AWSError(
            operation: operation, subject: subject, code: code, message: message,
            hint: hint ?? ErrorAdvice.hint(code: code, category: category, call: self), category: category)
    }

    var cancelled: AWSError { error("Cancelled", "the run is ending", category: .cancelled) }
}

/// Why an answer with a good status cannot be used.
package struct AnswerFault: Error, Equatable {
    package var message: String
    package init(_ message: String) { self.message = message }
    package init(_ fault: JSONFault) { message = "byte \(fault.offset): expected \(fault.expected)" }
}
