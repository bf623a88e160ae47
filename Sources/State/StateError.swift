package import Diagnostics

/// Why the state of a job cannot be used or changed.
package struct StateError: DiagnosticError, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Damaged file: truncated, overwritten, failed integrity check, a stored plan whose checksum does not match.
        case corrupt
        /// Not a Sluice state file.
        case foreign
        /// Written by a newer program.
        case newer
        /// State of another job, stream or bucket.
        case identity
        /// The owner marker and the local state contradict each other.
        case ownership
        /// A file, or a directory, that must be there is not.
        case missing
        /// Read-only file system.
        case readOnly
        /// Rights or owner of the directory or a file.
        case permission
        case diskFull
        /// Another run holds the job's lock.
        case locked
        /// Another process uses the file longer than we wait.
        case busy
        /// Any other failure of the file system.
        case io
        /// A rule of the commit order would be broken: a fault of this program.
        case brokenRule
    }

    package var kind: Kind
    package var diagnostic: Diagnostic

    package init(
        _ kind: Kind, _ operation: String, _ subject: String, _ cause: String, hint: String? = nil
    ) {
        self.kind = kind
        diagnostic = Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint)
    }

    package var exitCode: ExitCode {
        switch kind {
        case .corrupt, .foreign, .newer, .identity, .ownership, .missing, .readOnly: .stateOrIdentity
        case .permission: .permission
        case .diskFull, .busy, .io: .temporary
        case .locked: .jobLocked
        case .brokenRule: .internalFault
        }
    }

    package var isTransient: Bool { kind == .busy }
}
