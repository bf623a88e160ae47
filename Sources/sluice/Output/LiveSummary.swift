// What `check --live` found, for people and as JSON. The keys are part of the contract with scripts.

import AWS
import Diagnostics
import Jobs

struct LiveSummary: Encodable {
    struct Action: Encodable {
        var action: String
        var resource: String
        /// `ok`, `missing` or `untried`.
        var result: String
        var note: String?
        var hint: String?
    }

    var exitCode: Int32
    var actions: [Action]
    var problems: [ProblemSummary]
    var notes: [String]

    enum CodingKeys: String, CodingKey {
        case actions, problems, notes
        case exitCode = "exit_code"
    }

    init(_ report: LiveReport) {
        exitCode = report.exitCode.rawValue
        actions = report.results.map {
            Action(
                action: $0.permission.rawValue, resource: $0.resource, result: $0.verdict.rawValue, note: $0.note,
                hint: $0.hint)
        }
        problems = report.problems.map { ProblemSummary($0.diagnostic) }
        notes = report.notes
    }

    /// One line an action, then what is wrong besides.
    var text: String {
        var lines: [String] = []
        for action in actions {
            let word = action.result + String(repeating: " ", count: max(0, 7 - action.result.count))
            let note = action.note.map { ": \($0)" } ?? ""
            lines.append("  \(word)  \(action.action) on \(action.resource)\(note)")
            if let hint = action.hint { lines.append("           hint: \(hint)") }
        }
        lines += notes.map { "  note: \($0)" }
        for problem in problems {
            lines.append("  problem: \(problem.operation) \(problem.subject): \(problem.cause)")
            if let hint = problem.hint { lines.append("    hint: \(hint)") }
        }
        return lines.map { escapeControlCharacters($0) }.joined(separator: "\n")
    }
}
