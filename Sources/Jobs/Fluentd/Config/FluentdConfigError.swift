package import Diagnostics

/// Why a configuration cannot be understood, or read. Never holds text of the file: a line may hold a secret.
package struct FluentdConfigError: DiagnosticError, Equatable {
    package var place: FluentdPlace
    package var cause: String
    package var hint: String?
    package var exitCode: ExitCode = .jobFileInvalid
    package var isTransient: Bool { exitCode == .temporary }

    package var diagnostic: Diagnostic {
        Diagnostic(operation: "read Fluentd configuration", subject: place.description, cause: cause, hint: hint)
    }
}
