// From what the options said to a file on disk: asks for the rest on a terminal, checks, writes.

import Diagnostics
import Glibc
import Jobs

struct InitRun {
    let surroundings: Surroundings
    /// Nil for NAME.yaml in the working directory, `-` for standard output.
    let output: String?

    /// Wrong answers to one question before giving up.
    static let triesMax = 10

    func finish(_ draft: inout JobFileDraft) throws {
        for key in draft.answers.keys.sorted() {
            if let problem = draft.problem(with: key) { throw InitError.wrong(problem) }
        }
        let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
        while let question = draft.openQuestions.first {
            var question = question
            if question.key.hasSuffix(".region") { question.fallback = question.fallback ?? environmentRegion }
            if isTerminal {
                try ask(question, &draft)
            } else if let fallback = question.fallback {
                draft.answer(question.key, .scalar(fallback))
            } else {
                throw InitError.missing(question)
            }
        }
        if let problem = draft.problems.first { throw InitError.wrong(problem) }
        try write(draft)
    }

    private var environmentRegion: String? {
        ["AWS_REGION", "AWS_DEFAULT_REGION"].lazy.compactMap { surroundings.environment[$0] }.first { !$0.isEmpty }
    }

    private func ask(_ question: DraftQuestion, _ draft: inout JobFileDraft) throws {
        let fallback = question.fallback.map { " [\($0)]" } ?? ""
        for _ in 0..<Self.triesMax {
            surroundings.console.prompt("\(escapeControlCharacters(question.text + fallback)): ")
            guard let line = readLine() else { throw InitError.missing(question) }
            let words = line.split(separator: " ").map(String.init)
            guard let text = words.isEmpty ? question.fallback : words.joined(separator: " ") else { continue }
            draft.answer(question.key, question.key == "files" ? .list(words) : .scalar(text))
            guard let problem = draft.problem(with: question.key) else { return }
            surroundings.console.line("  \(escapeControlCharacters(problem.message))")
            if let remedy = problem.remedy { surroundings.console.line("  \(escapeControlCharacters(remedy))") }
        }
        throw InitError.missing(question)
    }

    private func write(_ draft: JobFileDraft) throws {
        let path = output ?? "\(draft.name).yaml"
        let text = draft.text(path: path == "-" ? "JOB" : path)
        if path == "-" { return try StandardOutput.printAlways(String(text.dropLast(text.hasSuffix("\n") ? 1 : 0))) }
        try NewFile.write(text, path: path)
        try StandardOutput.print(
            "\(escapeControlCharacters(path)) is written; next: sluice check --live \(escapeControlCharacters(path))")
    }
}

/// Why no job file was written.
struct InitError: DiagnosticError, Equatable {
    var diagnostic: Diagnostic
    var exitCode: ExitCode
    var isTransient: Bool { false }

    static func missing(_ question: DraftQuestion) -> InitError {
        InitError(
            diagnostic: Diagnostic(
                operation: "write a job file", subject: "", cause: "\(question.option) is missing",
                hint: "give \(question.option), or run it on a terminal to be asked"),
            exitCode: .usage)
    }

    static func wrong(_ problem: JobFileProblem) -> InitError {
        InitError(
            diagnostic: Diagnostic(
                operation: "write a job file", subject: problem.key, cause: problem.message, hint: problem.remedy),
            exitCode: .usage)
    }
}

/// A file that was not there before.
enum NewFile {
    /// A job file holds no secret, and the user that runs the job must be able to read it.
    private static let mode: mode_t = 0o644

    static func write(_ text: String, path: String) throws(InitError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("create", path, errno) }
        defer { close(descriptor) }
        fchmod(descriptor, mode)
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                unlink(path)
                throw failure("write", path, code)
            }
            bytes = bytes.dropFirst(count)
        }
    }

    private static func failure(_ operation: String, _ path: String, _ code: Int32) -> InitError {
        InitError(
            diagnostic: Diagnostic(
                operation: operation, subject: path, cause: String(cString: strerror(code)),
                hint: code == EEXIST ? "it is not overwritten: give another --output, or move it away" : nil),
            exitCode: code == EEXIST ? .destinationConflict : .temporary)
    }
}
