package import Diagnostics

/// Why there are no credentials: which source failed and what it said. Holds no secret: texts from outside pass
/// through `redacted` first.
package struct CredentialsError: DiagnosticError, Equatable {
    /// The source as the operator knows it: `environment`, `profile web`, `instance metadata`; empty when every
    /// source was asked and none had any.
    package var source: String
    package var cause: String
    package var hint: String?
    /// True for time-outs, throttling and 5xx answers.
    package var isTransient: Bool

    package init(source: String, cause: String, hint: String? = nil, isTransient: Bool = false) {
        self.source = source
        self.cause = cause
        self.hint = hint
        self.isTransient = isTransient
    }

    package var exitCode: ExitCode { .permission }

    package var diagnostic: Diagnostic {
        Diagnostic(
            operation: source.isEmpty ? "find AWS credentials" : "get AWS credentials from", subject: source,
            cause: cause, hint: hint)
    }
}

/// `text` from another party, made fit for a message: known secrets replaced, cut at 300 characters.
func redacted(_ text: String, hiding secrets: [String?]) -> String {
    var out = text
    // A secret shorter than this would blank out ordinary words.
    for secret in secrets.compactMap({ $0 }) where secret.utf8.count >= 4 {
        out = out.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "<secret>")
    }
    return trimmed(out.prefix(300))
}
