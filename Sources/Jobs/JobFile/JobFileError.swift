// Everything that is wrong with one job file, found in one pass, each with its place and its remedy.

package import Diagnostics

/// One thing that is wrong. Lines and columns count from 1, a column is a Unicode scalar; line 0 is the file itself.
package struct JobFileProblem: Sendable, Equatable {
    package var line: Int
    package var column: Int
    /// Dotted path of the key: `source.stream`; empty for the file as a whole.
    package var key: String
    package var message: String
    package var remedy: String?

    package init(line: Int, column: Int, key: String, message: String, remedy: String? = nil) {
        self.line = line
        self.column = column
        self.key = key
        self.message = message
        self.remedy = remedy
    }

    /// `line:column: key: what is wrong`.
    package var summary: String {
        let what = key.isEmpty ? message : "\(key): \(message)"
        return escapeControlCharacters(line == 0 ? what : "\(line):\(column): \(what)")
    }
}

package struct JobFileError: DiagnosticError, Equatable {
    package var path: String
    /// In the order of the file; never empty.
    package var problems: [JobFileProblem]

    package init(path: String, problems: [JobFileProblem]) {
        self.path = path
        self.problems = problems.sorted { ($0.line, $0.column, $0.key) < ($1.line, $1.column, $1.key) }
    }

    package var exitCode: ExitCode { .jobFileInvalid }
    package var isTransient: Bool { false }

    /// The first problem stands for all; commands that can print several lines print `problems`.
    package var diagnostic: Diagnostic {
        let first = problems.first
        let more = problems.count > 1 ? " (and \(problems.count - 1) more: sluice check \(path))" : ""
        return Diagnostic(
            operation: "read job file", subject: path, cause: (first?.summary ?? "invalid") + more, hint: first?.remedy)
    }
}
