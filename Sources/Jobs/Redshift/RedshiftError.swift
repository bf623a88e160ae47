package import Diagnostics

/// Why nothing could be prepared for Redshift, where the layer below could not know it.
package struct RedshiftError: DiagnosticError, Equatable {
    package var diagnostic: Diagnostic
    package var exitCode: ExitCode
    package var isTransient: Bool { false }

    init(diagnostic: Diagnostic, exitCode: ExitCode) {
        self.diagnostic = diagnostic
        self.exitCode = exitCode
    }

    init(_ operation: String, _ subject: String, _ cause: String, hint: String? = nil, exitCode: ExitCode) {
        self.init(
            diagnostic: Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint),
            exitCode: exitCode)
    }
}
