// Standard output for results. A reader that went away ends the program as SIGPIPE would have, without a word.

import Diagnostics
import Glibc

enum StandardOutput {
    /// Writes everything or throws.
    static func write(_ bytes: UnsafeRawBufferPointer) throws(OutputError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw OutputError(code: errno)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes one line or several; the last LF is added.
    static func print(_ text: String) throws(OutputError) {
        var text = text + "\n"
        let result: Result<Void, OutputError> = text.withUTF8 { bytes in
            Result { () throws(OutputError) in try write(UnsafeRawBufferPointer(bytes)) }
        }
        try result.get()
    }
}

/// Why standard output takes no more.
struct OutputError: DiagnosticError, Equatable {
    var code: Int32

    /// True when the reader closed its end: `| head`.
    var isClosedPipe: Bool { code == EPIPE }
    var exitCode: ExitCode { .temporary }
    var isTransient: Bool { false }
    var diagnostic: Diagnostic {
        Diagnostic(
            operation: "write to", subject: "standard output", cause: String(cString: strerror(code)),
            hint: code == ENOSPC ? "free some space and run again" : nil)
    }
}
