package import Diagnostics

/// A setting in the environment or in an AWS configuration file that cannot be right. Never holds a value that may
/// be a secret: file, line and key only.
package struct AWSConfigurationError: DiagnosticError, Equatable {
    package var diagnostic: Diagnostic
    /// EX_CONFIG: nothing helps but a change of the configuration.
    package var exitCode: ExitCode { .jobFileInvalid }
    package var isTransient: Bool { false }

    package init(_ operation: String, _ subject: String, _ cause: String, hint: String? = nil) {
        diagnostic = Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint)
    }
}
