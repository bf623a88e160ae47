// Standard output for results. A reader that went away ends the program as SIGPIPE would have, without a word.

import Diagnostics
import Glibc
import Synchronization

enum StandardOutput {
    /// A result that is longer is not held back.
    static let heldBytesMax = 1 << 20

    /// What `print` got since `hold`; nil when nothing is held back.
    private static let held = Mutex<String?>(nil)

    /// From now on `print` keeps its text, for `release` or `drop`. What `write` gets is not held back.
    static func hold() { held.withLock { $0 = $0 ?? "" } }

    /// Writes what was held back, and holds back no more.
    static func release() throws(OutputError) {
        if let text = take(), !text.isEmpty { try writeText(text) }
    }

    static func drop() { _ = take() }

    private static func take() -> String? {
        held.withLock { text in
            defer { text = nil }
            return text
        }
    }

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
        let isHeld = held.withLock { held in
            held?.append(text + "\n")
            return held.map { $0.utf8.count <= heldBytesMax }
        }
        switch isHeld {
        case true?: return
        case false?: try release()
        case nil: try writeText(text + "\n")
        }
    }

    /// As `print`, for commands whose result is all that they do: `--quiet` does not hold it back.
    static func printAlways(_ text: String) throws(OutputError) { try writeText(text + "\n") }

    private static func writeText(_ text: String) throws(OutputError) {
        var text = text
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
