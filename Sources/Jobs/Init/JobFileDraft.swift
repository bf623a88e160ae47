// A job file in the making: what was answered so far, what is still to be asked, and the text that comes of it. Pure.

/// One thing that `sluice init` must know.
package struct DraftQuestion: Sendable, Equatable {
    /// Dotted key of the job file.
    package var key: String
    /// The option that answers it: `--bucket`.
    package var option: String
    package var text: String
    /// Taken when nothing is answered; nil when an answer is needed.
    package var fallback: String?
}

package struct JobFileDraft: Sendable {
    package let kind: JobFile.Kind
    /// By key; `files` holds several, separated by blanks on a terminal.
    package private(set) var answers: [String: TemplateValue] = [:]

    /// What the file will be called, without folder and `.yaml`: the units of systemd take it for the job's name.
    private let fileName: String?

    package init(_ kind: JobFile.Kind, fileName: String? = nil) {
        self.kind = kind
        self.fileName = fileName.flatMap { Names.isJobName($0) ? $0 : nil }
    }

    package mutating func answer(_ key: String, _ value: TemplateValue) { answers[key] = value }

    /// What is still open, in the order to ask. Later defaults depend on earlier answers.
    package var openQuestions: [DraftQuestion] { questions.filter { answers[$0.key] == nil } }

    private var questions: [DraftQuestion] {
        switch kind {
        case .archive:
            [
                DraftQuestion(key: "source.stream", option: "--stream", text: "Kinesis stream, name or ARN"),
                DraftQuestion(key: "source.region", option: "--region", text: "Its region", fallback: arnRegion),
                DraftQuestion(key: "destination.bucket", option: "--bucket", text: "S3 bucket"),
                DraftQuestion(
                    key: "name", option: "--name", text: "Name of the job (a-z, 0-9, -)", fallback: usualName),
                DraftQuestion(
                    key: "destination.prefix", option: "--prefix", text: "Prefix of the objects",
                    fallback: "\(name)/dt={date}/hour={hour}/"),
            ]
        case .ship:
            [
                DraftQuestion(key: "files", option: "--file", text: "Log files, absolute paths or patterns"),
                DraftQuestion(key: "destination.stream", option: "--stream", text: "Kinesis stream, name or ARN"),
                DraftQuestion(key: "destination.region", option: "--region", text: "Its region", fallback: arnRegion),
                DraftQuestion(
                    key: "name", option: "--name", text: "Name of the job (a-z, 0-9, -)",
                    fallback: usualName),
            ]
        }
    }

    package var name: String { text("name") ?? usualName ?? "job" }

    private var usualName: String? { fileName ?? nameOfStream }

    private func text(_ key: String) -> String? {
        if case .scalar(let text) = answers[key] { return text }
        return nil
    }

    private var stream: String? { text("source.stream") ?? text("destination.stream") }
    private var arnRegion: String? { stream.flatMap { Names.streamARN($0)?.region } }

    /// `My_Stream.1` as `my-stream-1`.
    private var nameOfStream: String? {
        guard let stream else { return nil }
        let name = (Names.streamARN(stream)?.name ?? stream).lowercased()
            .map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        // One stream has often both kinds of job, and two jobs need two names.
        return kind == .ship ? String(name.prefix(59)) + "-ship" : String(name.prefix(64))
    }

    /// What is wrong with the answer to `key`, if anything: the loader's own words.
    package func problem(with key: String) -> JobFileProblem? {
        problems.first { $0.key == key || $0.key.hasPrefix("\(key)[") }
    }

    /// Everything that `sluice check` would say of the file, without variables from the environment.
    package var problems: [JobFileProblem] {
        do throws(JobFileError) {
            _ = try JobFileLoader.parse(Array(text(path: "job.yaml").utf8), path: "job.yaml", environment: [:])
            return []
        } catch {
            return error.problems
        }
    }

    /// The finished file. `path` is where it will lie, for its title.
    package func text(path: String) -> String {
        var values = answers
        for question in openQuestions {
            if let fallback = question.fallback { values[question.key] = .scalar(fallback) }
        }
        values["state.directory"] = .scalar("/var/lib/sluice/\(name)")
        let title: String
        switch kind {
        case .archive:
            values["destination.control_prefix"] = .scalar("_sluice/\(name)/")
            title = "Archives the stream \(stream ?? "") into S3.    sluice archive \(path)"
        case .ship:
            title = "Ships log files into the stream \(stream ?? "").    sluice ship \(path)"
        }
        return JobFileTemplate(kind).filled(title: title, values: values).text
    }
}
