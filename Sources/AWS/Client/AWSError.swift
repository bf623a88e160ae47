// Every failure of a call to AWS, classified once, here: nobody above looks at status codes or greps messages.

package import Diagnostics

/// What kind of failure it is: decides retries, exit code and advice.
package enum AWSErrorCategory: String, Sendable, CaseIterable {
    /// The service wants a slower pace.
    case throttling
    /// The service or the way to it failed; the same call may work later.
    case transient
    /// The answer could not be understood: cut, garbled, or not from AWS.
    case malformed
    /// Keys, signature, policy, KMS.
    case permission
    /// The stream, bucket or key does not exist.
    case missing
    /// A condition of the request did not hold (412).
    case precondition
    /// The service will not do this, however often it is asked.
    case refused
    case cancelled
}

package struct AWSError: DiagnosticError, Equatable {
    /// As a phrase: `put object`.
    package var operation: String
    /// `my_stream/shardId-000000000001`, `s3://bucket/key`.
    package var subject: String
    /// Nil when no answer came.
    package var status: Int?
    /// The service's code (`AccessDenied`), or ours when there is none: `connect`, `Cancelled`, `MalformedAnswer`.
    package var code: String
    /// The service's words; never content of a record, never a header that was sent.
    package var message: String
    package var requestID: String?
    package var hint: String?
    package var category: AWSErrorCategory
    package var exitCode: ExitCode
    package var isTransient: Bool
    /// Where the bucket lies, when S3 says that it lies elsewhere.
    package var bucketRegion: String?

    package init(
        operation: String, subject: String, status: Int? = nil, code: String, message: String,
        requestID: String? = nil, hint: String? = nil, category: AWSErrorCategory, exitCode: ExitCode? = nil,
        isTransient: Bool? = nil, bucketRegion: String? = nil
    ) {
        self.operation = operation
        self.subject = subject
        self.status = status
        self.code = code
        self.message = message
        self.requestID = requestID
        self.hint = hint
        self.category = category
        self.exitCode = exitCode ?? Self.exitCode(category)
        self.isTransient = isTransient ?? Self.isTransient(category)
        self.bucketRegion = bucketRegion
    }

    package var isThrottling: Bool { category == .throttling }
    package var isCancellation: Bool { category == .cancelled }

    package var diagnostic: Diagnostic {
        let answer = [status.map { "\($0)" }, code.isEmpty ? nil : code].compactMap { $0 }.joined(separator: " ")
        var cause = message.isEmpty ? answer : "\(answer): \(message)"
        if let requestID { cause += " (request \(requestID))" }
        return Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint)
    }

    private static func exitCode(_ category: AWSErrorCategory) -> ExitCode {
        switch category {
        case .throttling, .transient, .malformed, .cancelled: .temporary
        case .permission: .permission
        case .missing: .stateOrIdentity
        case .precondition: .destinationConflict
        case .refused: .internalFault
        }
    }

    private static func isTransient(_ category: AWSErrorCategory) -> Bool {
        switch category {
        case .throttling, .transient, .malformed: true
        case .permission, .missing, .precondition, .refused, .cancelled: false
        }
    }
}
