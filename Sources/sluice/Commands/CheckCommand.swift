import ArgumentParser
import Diagnostics
import Foundation
import Jobs

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Finds what is wrong with job files; with --live also with credentials, stream, bucket and table.",
        discussion: """
            Prints every problem as `file:line:column: key: what is wrong` with a hint. Variables (${NAME}) are taken \
            from the environment, so check with the environment of the job.

            With --live each action that the job needs is tried, and the answer is ok, missing or untried (with the \
            reason). Nothing is left behind: an object is offered with digests that its body contradicts, a record \
            with a hash key that no shard has, and at most one record is read. With `redshift:` the table's columns and \
            the right to fill it are looked at, by statements that change nothing.

            Exit codes: 0 all is good, 64 usage, 65 the store took what it had to refuse, 74 stream or bucket is \
            missing, 75 AWS cannot be reached, 77 a permission or the credentials are missing, 78 a job file is \
            invalid, or a table is missing or too old.

            Example: sluice check --live jobs/drupal-archive.yaml
            """)

    @Argument(help: ArgumentHelp("Job files.", valueName: "job"), completion: .jobFile)
    var jobs: [String]

    @Flag(help: "Also try every permission that the jobs need, without leaving anything behind.")
    var live = false

    @Flag(help: "Print one JSON object: files, each with path, valid, kind, name, problems and, if tried, live.")
    var json = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            var results: [CheckedFile] = []
            for path in jobs {
                var result = CheckedFile(path, environment: surroundings.environment)
                if live, let file = result.file {
                    result.live = LiveSummary(try await Self.liveReport(file, surroundings))
                }
                results.append(result)
            }
            let text = json ? JSONText.line(["files": results]) : results.map(\.text).joined(separator: "\n")
            try StandardOutput.print(text)
            return Diagnostics.ExitCode.mostUrgent(results.map(\.exitCode)).rawValue
        }
    }

    private static func liveReport(_ file: JobFile, _ surroundings: Surroundings) async throws -> LiveReport {
        let archive: ArchiveJobFile? = if case .archive(let file) = file { file } else { nil }
        let region =
            switch file {
            case .archive(let file): file.source.stream.region
            case .ship(let file): file.destination.stream.region
            }
        let access = try AWSAccess(surroundings, region: region, callsMax: 2)
        let check = LiveCheck(
            kinesis: try access.kinesis(region: region), s3: try archive.map { try access.s3($0.destination.s3) },
            redshift: try archive?.redshift.map { try access.redshiftData(region: $0.region) },
            newID: { UUID().uuidString.lowercased() })
        return await check.run(file)
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
    var live: LiveSummary?
    /// Nil when it is not valid.
    private(set) var file: JobFile?

    enum CodingKeys: String, CodingKey { case path, valid, kind, name, problems, live }

    var exitCode: Diagnostics.ExitCode {
        guard valid else { return .jobFileInvalid }
        return live.flatMap { Diagnostics.ExitCode(rawValue: $0.exitCode) } ?? .done
    }

    init(_ path: String, environment: [String: String]) {
        self.path = path
        do throws(JobFileError) {
            let file = try JobFileLoader.load(path: path, environment: environment)
            kind = file.kind.rawValue
            name = file.name
            valid = true
            self.file = file
        } catch {
            valid = false
            problems = error.problems.map {
                Problem(line: $0.line, column: $0.column, key: $0.key, message: $0.message, hint: $0.remedy)
            }
        }
    }

    var text: String {
        let shown = escapeControlCharacters(path)
        if valid, let kind, let name {
            return "\(shown): good: \(kind) job \(name)" + (live.map { "\n\($0.text)" } ?? "")
        }
        return problems.map { problem in
            let place = problem.line == 0 ? shown : "\(shown):\(problem.line):\(problem.column)"
            let what = escapeControlCharacters(
                problem.key.isEmpty ? problem.message : "\(problem.key): \(problem.message)")
            let hint = problem.hint.map { "\n  hint: \(escapeControlCharacters($0))" } ?? ""
            return "\(place): \(what)\(hint)"
        }.joined(separator: "\n")
    }
}
