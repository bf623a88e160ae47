package import Diagnostics

/// A prefix that cannot be used. `diagnostic.cause` reads after the prefix itself: "… names no known placeholder".
package struct PrefixTemplateError: DiagnosticError, Equatable {
    package var template: String
    package var cause: String
    package var hint: String

    package var diagnostic: Diagnostic {
        Diagnostic(operation: "read prefix", subject: template, cause: cause, hint: hint)
    }
    package var exitCode: ExitCode { .jobFileInvalid }
    package var isTransient: Bool { false }
}
