import ArgumentParser
import Diagnostics
import Jobs

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Finds what is wrong with job files, without touching AWS.",
        discussion: """
            Prints every problem as `file:line:column: key: what is wrong` with a hint. Variables (${NAME}) are taken \
            from the environment, so check with the environment of the job.

            Exit codes: 0 all files are good, 64 usage, 78 a job file is invalid.

            Example: sluice check jobs/*.yaml
            """)

    @Argument(help: ArgumentHelp("Job files.", valueName: "job"))
    var jobs: [String]

    @Flag(help: "Print one JSON object: files, each with path, valid, kind, name and problems.")
    var json = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let results = jobs.map { CheckedFile($0, environment: surroundings.environment) }
            let text = json ? JSONText.line(["files": results]) : results.map(\.text).joined(separator: "\n")
            try StandardOutput.print(text)
            return results.allSatisfy(\.valid) ? 0 : Diagnostics.ExitCode.jobFileInvalid.rawValue
        }
    }
}

/// What `check` says about one file. The keys are part of the contract with scripts.
struct CheckedFile: Encodable {
    /// Line 0 when it is about the file as a whole.
    struct Problem: Encodable {
        var line: Int
        var column: Int
        var key: String
        var message: String
        var hint: String?
    }

    var path: String
    var valid: Bool
    var kind: String?
    var name: String?
    var problems: [Problem] = []

    init(_ path: String, environment: [String: String]) {
        self.path = path
        do throws(JobFileError) {
            let file = try JobFileLoader.load(path: path, environment: environment)
            kind = file.kind.rawValue
            name = file.name
            valid = true
        } catch {
            valid = false
            problems = error.problems.map {
                Problem(line: $0.line, column: $0.column, key: $0.key, message: $0.message, hint: $0.remedy)
            }
        }
    }

    var text: String {
        let shown = escapeControlCharacters(path)
        if valid, let kind, let name { return "\(shown): good: \(kind) job \(name)" }
        return problems.map { problem in
            let place = problem.line == 0 ? shown : "\(shown):\(problem.line):\(problem.column)"
            let what = escapeControlCharacters(
                problem.key.isEmpty ? problem.message : "\(problem.key): \(problem.message)")
            let hint = problem.hint.map { "\n  hint: \(escapeControlCharacters($0))" } ?? ""
            return "\(place): \(what)\(hint)"
        }.joined(separator: "\n")
    }
}
