package import Diagnostics
import Glibc

/// Why a file or a run of `ship` stops, where the layer below could not know it. What was not stored is sent by the
/// next run.
package struct ShipError: DiagnosticError, Equatable {
    package var diagnostic: Diagnostic
    package var exitCode: ExitCode
    package var isTransient: Bool { exitCode == .temporary }
    /// The file could be read, and what it holds is not what it should be.
    var isBadContent = false

    init(_ operation: String, _ subject: String, _ cause: String, hint: String? = nil, exitCode: ExitCode) {
        diagnostic = Diagnostic(operation: operation, subject: subject, cause: cause, hint: hint)
        self.exitCode = exitCode
    }

    /// For a failed system call.
    init(_ operation: String, _ path: String, errno code: Int32) {
        let hint: String? =
            switch code {
            case EACCES, EPERM: "the user that runs sluice must be allowed to do this"
            case ENOENT: "check the path; a file that may be missing can be named by a pattern"
            case ENOSPC, EDQUOT: "free space on this file system, then run again: nothing is lost"
            case EROFS: "state.directory must be on a file system that can be written"
            case ELOOP: "symbolic links are not followed: name the file that it points to"
            case EMFILE, ENFILE: "raise the limit of open files (LimitNOFILE=)"
            default: nil
            }
        let exitCode: ExitCode =
            switch code {
            case EACCES, EPERM: .permission
            case ELOOP, ENOTDIR: .jobFileInvalid
            default: .temporary
            }
        self.init(operation, path, String(cString: strerror(code)), hint: hint, exitCode: exitCode)
    }
}
