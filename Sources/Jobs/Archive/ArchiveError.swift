package import Diagnostics

/// Why a shard or a run stops, where the layer below could not know it.
package struct ArchiveError: DiagnosticError, Equatable {
    package var diagnostic: Diagnostic
    package var exitCode: ExitCode
    package var isTransient: Bool

    init(
        _ operation: String, _ subject: String, _ cause: String, hint: String? = nil, exitCode: ExitCode,
        isTransient: Bool = false
    ) {
        diagnostic = Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint)
        self.exitCode = exitCode
        self.isTransient = isTransient
    }
}

/// What an error of any layer means for the run.
func describe(_ error: any Error, during operation: String, of subject: String) -> (Diagnostic, ExitCode) {
    if let known = error as? any DiagnosticError { return (known.diagnostic, known.exitCode) }
    if error is CancellationError {
        return (Diagnostic(operation: operation, subject: subject, cause: "cancelled"), .temporary)
    }
    return (Diagnostic(operation: operation, subject: subject, cause: "\(error)"), .internalFault)
}
