// Standard error as one thing: log lines and the progress line take turns, and each line is one write(2).

import Glibc
import Synchronization

final class Console: Sendable {
    private let descriptor: Int32
    /// True while a progress line stands on the terminal.
    private let isDrawn = Mutex(false)
    private let lineCount = Atomic(0)

    /// True when a line was printed: a log line or an error, not progress.
    var hasSpoken: Bool { lineCount.load(ordering: .relaxed) > 0 }

    init(descriptor: Int32 = STDERR_FILENO) { self.descriptor = descriptor }

    /// True when somebody watches: a terminal that knows how to clear a line.
    func isTerminal(term: String?) -> Bool { isatty(descriptor) == 1 && term != nil && term != "dumb" }

    /// Prints one line, in the place of the progress line if there is one.
    func line(_ text: String) {
        lineCount.add(1, ordering: .relaxed)
        isDrawn.withLock { drawn in
            write((drawn ? Self.clearLine : "") + text + "\n")
            drawn = false
        }
    }

    /// Asks; the answer is typed behind it.
    func prompt(_ text: String) { isDrawn.withLock { _ in write(text) } }

    /// Draws the progress line anew.
    func draw(_ text: String) {
        isDrawn.withLock { drawn in
            write(Self.clearLine + text)
            drawn = true
        }
    }

    func clear() {
        isDrawn.withLock { drawn in
            if drawn { write(Self.clearLine) }
            drawn = false
        }
    }

    /// Back to the first column, erase to the end (ECMA-48 CR, EL).
    private static let clearLine = "\r\u{1B}[K"

    private func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // Nobody is left to tell when standard error is gone.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
