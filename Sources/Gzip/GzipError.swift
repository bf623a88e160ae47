// What can go wrong with compressed data. Damaged input is the sender's, a refused level or engine is the job file's, the
// rest is memory or a library that does not do what it says.

package import Diagnostics

/// A refusal of a compression library or of a limit set around it.
package struct GzipError: DiagnosticError, Equatable {
    package enum Kind: Sendable, Equatable {
        /// The level is not 1 to 9.
        case level
        /// The engine that was asked for is not on this machine.
        case absent
        /// The library gave up without looking at the data: out of memory, or another one than it says it is.
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

    package var exitCode: ExitCode { kind == .level || kind == .absent ? .jobFileInvalid : .internalFault }
    package var isTransient: Bool { false }

    static func level(_ level: Int) -> GzipError {
        GzipError(
            kind: .level,
            diagnostic: Diagnostic(
                operation: "set up gzip", subject: "level \(level)", cause: "gzip has the levels 1 to 9",
                hint: "set gzip_level to a number from 1 (fast) to 9 (small)"))
    }

    static func absent(_ library: String) -> GzipError {
        GzipError(
            kind: .absent,
            diagnostic: Diagnostic(
                operation: "set up gzip", subject: library, cause: "the library is not on this machine",
                hint: "install it (Debian package libdeflate0), or set gzip_engine to auto"))
    }

    static func memory(_ library: String) -> GzipError {
        GzipError(
            kind: .engine,
            diagnostic: Diagnostic(
                operation: "set up gzip", subject: library, cause: "it could not get memory",
                hint: "lower limits.memory or parallel_shards"))
    }

    static func broken(_ cause: String) -> GzipError {
        GzipError(
            kind: .engine,
            diagnostic: Diagnostic(
                operation: "compress", subject: Libdeflate.name, cause: cause,
                hint: "set gzip_engine to zlib, and replace the library"))
    }

    static func engine(_ operation: String, code: Int32, message: String) -> GzipError {
        GzipError(
            kind: .engine,
            diagnostic: Diagnostic(
                operation: operation, subject: zlibName, cause: "zlib answered \(code) \(message)",
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
