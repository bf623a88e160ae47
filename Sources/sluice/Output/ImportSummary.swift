// The account of an import. The JSON keys are part of the contract with scripts: none is renamed or removed.

import Diagnostics
import Jobs

struct ImportSummary: Encodable {
    struct Setting: Encodable {
        /// `taken`, `mapped`, `unset`, `ignored` or `refused`.
        var outcome: String
        /// `file:line`; left out for what is not given.
        var place: String?
        var setting: String
        /// Left out for secrets and sections.
        var value: String?
        var jobFile: String?
        var text: String

        enum CodingKeys: String, CodingKey {
            case outcome, place, setting, value, text
            case jobFile = "job_file"
        }

        init(_ note: FluentdNote) {
            outcome = note.outcome.rawValue
            place = note.place?.description
            setting = note.setting
            value = note.value
            jobFile = note.jobFile
            text = note.text
        }
    }

    struct Position: Encodable {
        var path: String
        /// Fluentd's; left out when it had given the file up.
        var position: Int?
        var inode: UInt64
        /// `resume`, `truncated`, `successors` or `nothing`.
        var action: String
        /// Where shipping goes on, with `resume`.
        var file: String?
        var offset: Int?
        var text: String

        init(_ entry: FluentdPositionImport.Entry) {
            path = entry.position.path
            position = entry.position.offset
            inode = entry.position.inode
            text = entry.takeover.text(entry.position)
            switch entry.takeover {
            case .resume(let file, let offset, _, _): (action, self.file, self.offset) = ("resume", file, offset)
            case .truncated: action = "truncated"
            case .successors: action = "successors"
            case .nothing: action = "nothing"
            }
        }
    }

    struct Job: Encodable {
        var name: String
        var source: String
        var output: String
        var files: [String]
        var stream: String
        /// The text; left out with an obstacle.
        var jobFile: String?
        /// Where it was written; left out when it was only printed.
        var path: String?
        /// Why there is no job file.
        var obstacle: String?
        /// What `sluice check` finds here, as `line:column: key: what`.
        var problems: [String]
        var settings: [Setting]
        var positions: [Position]
        /// `pos_file` of the source, for --pos-file.
        var posFile: String?

        enum CodingKeys: String, CodingKey {
            case name, source, output, files, stream, path, obstacle, problems, settings, positions
            case jobFile = "job_file"
            case posFile = "pos_file"
        }

        init(_ job: ImportOutcome.Job) {
            name = job.draft.name
            source = job.draft.source.description
            output = job.draft.output.description
            files = job.draft.files
            stream = job.draft.stream
            jobFile = job.draft.jobFile
            path = job.path
            obstacle = job.draft.obstacle
            problems = job.problems.map(\.summary)
            settings = job.draft.notes.map(Setting.init)
            positions = job.positions?.entries.map(Position.init) ?? []
            posFile = job.draft.positionFile
        }
    }

    var files: [String]
    var jobs: [Job]
    /// What belongs to no job.
    var notes: [Setting]
    var positionNotes: [String]
    var exitCode: Int32
    private let tookPositions: Bool

    enum CodingKeys: String, CodingKey {
        case files, jobs, notes
        case positionNotes = "position_notes"
        case exitCode = "exit_code"
    }

    init(_ outcome: ImportOutcome) {
        files = outcome.found.paths
        jobs = outcome.jobs.map(Job.init)
        notes = outcome.found.notes.map(Setting.init)
        positionNotes = outcome.positionNotes
        exitCode = outcome.found.failure?.exitCode.rawValue ?? 0
        tookPositions = outcome.hasPositionFiles
    }

    /// For people; job files that were not written follow, with the account as YAML comments before them.
    var text: String {
        let printed = jobs.filter { $0.path == nil }.compactMap(\.jobFile)
        let account = accountLines.map { escapeControlCharacters($0) }
        guard !printed.isEmpty else { return account.joined(separator: "\n") }
        let comments = account.map { $0.isEmpty ? "#" : "# \($0)" }.joined(separator: "\n")
        return comments + "\n\n" + printed.joined(separator: "\n---\n").dropLast()
    }

    private var accountLines: [String] {
        var lines: [String] = []
        for job in jobs {
            lines.append(
                "\(job.name): \(job.files.joined(separator: ", ")) -> \(job.stream) (\(job.source), \(job.output))")
            if let obstacle = job.obstacle { lines.append("  no job file: \(obstacle)") }
            for (outcome, title) in Self.titles { lines += Self.lines(job.settings, outcome, title) }
            for problem in job.problems { lines.append("  before it runs: \(problem)") }
            lines += positionLines(job)
            if let path = job.path, job.jobFile != nil { lines.append("  job file: \(path)") }
            lines.append("")
        }
        if !notes.isEmpty {
            lines.append("besides")
            lines += notes.map { "  \(Self.line($0))" }
            lines.append("")
        }
        lines += positionNotes
        if tookPositions {
            lines.append(
                "positions count what Fluentd has read: stop it, and see that its buffers are empty, before `sluice ship`"
            )
        }
        while lines.last == "" { lines.removeLast() }
        return lines
    }

    private static let titles = [
        ("refused", "refused"), ("mapped", "mapped"), ("unset", "not set: defaults that differ"),
        ("taken", "taken over"),
        ("ignored", "ignored"),
    ]

    private static func lines(_ settings: [Setting], _ outcome: String, _ title: String) -> [String] {
        let chosen = settings.filter { $0.outcome == outcome }
        return chosen.isEmpty ? [] : ["  \(title)"] + chosen.map { "    \(line($0))" }
    }

    private static func line(_ setting: Setting) -> String {
        var line = setting.place.map { "\($0) " } ?? ""
        line += setting.setting
        if let value = setting.value, !value.isEmpty { line += " \(value)" }
        if let jobFile = setting.jobFile, !jobFile.isEmpty { line += " -> \(jobFile)" }
        return setting.text.isEmpty ? line : "\(line): \(setting.text)"
    }

    private func positionLines(_ job: Job) -> [String] {
        if tookPositions {
            if job.positions.isEmpty { return job.jobFile == nil ? [] : ["  positions: none for this job"] }
            return ["  positions"] + job.positions.map { "    \($0.path): \($0.text)" }
        }
        guard let posFile = job.posFile, job.jobFile != nil else { return [] }
        return ["  to go on where Fluentd stopped: --pos-file \(posFile)"]
    }
}
