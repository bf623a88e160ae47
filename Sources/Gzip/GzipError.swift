// What can go wrong in zlib. Damaged input is the sender's, a refused level is the job file's, the rest is memory.

package import Diagnostics

/// A refusal of zlib or of a limit set around it.
package struct GzipError: DiagnosticError, Equatable {
    package enum Kind: Sendable, Equatable {
        /// The level is not 1 to 9.
        case level
        /// zlib gave up without looking at the data: out of memory, or another zlib than the one built against.
        case engine
        /// The input is not one or more whole, valid members.
        case damaged
        /// The input is valid as far as it goes, but ends inside a member: it was cut, or is still being written.
        case cut
        /// The output would pass the caller's limit of bytes.
        case tooLarge
        /// The output would pass the caller's limit of output bytes for each input byte.
        case ratio
    }

    package let kind: Kind
    package let diagnostic: Diagnostic

    package var exitCode: ExitCode { kind == .level ? .jobFileInvalid : .internalFault }
    package var isTransient: Bool { false }

    static func level(_ level: Int) -> GzipError {
        GzipError(
            kind: .level,
            diagnostic: Diagnostic(
                operation: "set up gzip", subject: "level \(level)", cause: "gzip has the levels 1 to 9",
                hint: "set gzip_level to a number from 1 (fast) to 9 (small)"))
    }

    static func engine(_ operation: String, code: Int32, message: String) -> GzipError {
        GzipError(
            kind: .engine,
            diagnostic: Diagnostic(
                operation: operation, subject: gzipEngine, cause: "zlib answered \(code) \(message)",
                hint: code == -4 ? "zlib could not get memory; lower limits.memory or parallel_shards" : nil))
    }

    static func damaged(_ cause: String) -> GzipError {
        GzipError(
            kind: .damaged, diagnostic: Diagnostic(operation: "decompress", subject: "", cause: cause))
    }

    static func cut(isEmpty: Bool) -> GzipError {
        GzipError(
            kind: .cut,
            diagnostic: Diagnostic(
                operation: "decompress", subject: "",
                cause: isEmpty ? "there is no data" : "the data is cut: it ends inside a gzip member",
                hint: "if it is still being written, try again later"))
    }

    static func tooLarge(limit: Int) -> GzipError {
        GzipError(
            kind: .tooLarge,
            diagnostic: Diagnostic(
                operation: "decompress", subject: "", cause: "the data unpacks to more than \(limit) bytes"))
    }

    static func ratio(limit: Int) -> GzipError {
        GzipError(
            kind: .ratio,
            diagnostic: Diagnostic(
                operation: "decompress", subject: "",
                cause: "the data unpacks to more than \(limit) times its size, as a decompression bomb does"))
    }
}
