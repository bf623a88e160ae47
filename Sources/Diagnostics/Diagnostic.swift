// The four things every error says: what was being done, to what, what the other side answered, what to do.

/// An error as the operator reads it. Never put a secret or the content of a record into one.
package struct Diagnostic: Sendable, Equatable {
    /// What was being done, as a phrase: `put object`, `read job file`.
    package var operation: String
    /// To what: a shard id, an object key, a file path with line, a bucket.
    package var subject: String
    /// What the other side answered.
    package var cause: String
    /// What the operator can do; nil when there is nothing better than `cause`.
    package var hint: String?

    package init(operation: String, subject: String, cause: String, hint: String? = nil) {
        self.operation = operation
        self.subject = subject
        self.cause = cause
        self.hint = hint
    }

    /// One line without the hint: `put object s3://b/k: 403 AccessDenied: …`. Control characters are escaped.
    package var summary: String {
        escapeControlCharacters(subject.isEmpty ? "\(operation): \(cause)" : "\(operation) \(subject): \(cause)")
    }
}

/// An error that a layer below the jobs throws. The layer that knows decides whether trying again can help.
package protocol DiagnosticError: Error, Sendable {
    var diagnostic: Diagnostic { get }
    /// The status that the run should end with if this error ends it.
    var exitCode: ExitCode { get }
    /// True when the same call may succeed later without anybody changing anything.
    var isTransient: Bool { get }
}

/// Makes text from outside safe for one line on a terminal or in a mail: C0, C1, DEL and line separators become
/// `\u{..}`, and the text is cut at `limit` characters.
package func escapeControlCharacters(_ text: String, limit: Int = 2_000) -> String {
    var out = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if count == limit {
            out += "…"
            break
        }
        count += 1
        let v = scalar.value
        let isBidi = (0x202A...0x202E).contains(v) || (0x2066...0x2069).contains(v)
        if v < 0x20 || (0x7F...0x9F).contains(v) || v == 0x2028 || v == 0x2029 || isBidi {
            out += "\\u{" + String(v, radix: 16) + "}"
        } else {
            out.unicodeScalars.append(scalar)
        }
    }
    return out
}
