// The job file as text, with a comment beside each key that says where its value comes from.
import Diagnostics

extension FluentdDraft {
    func yaml(_ flow: FluentdFlow, stateDirectory: String) -> String {
        var text = JobFileText()
        text.comment(
            "Made by `sluice ship import-fluentd` of <source> at \(flow.source.place) and \(flow.output.title) at "
                + "\(flow.output.place).")
        text.comment("Look through it, then: sluice check FILE && sluice ship FILE --once --dry-run")
        text.blank()
        text.line("job: ship")
        text.line("name: \(name)", comments["name"])
        text.blank()
        text.line("files:", comments["files"])
        for file in files { text.line("  - \(JobFileText.quoted(file))") }
        text.line("start: \(startsAtHead ? "head" : "tail")", comments["start"])
        text.blank()
        switch record {
        case .line: text.line("record: line", comments["record"])
        case .fluentd:
            text.line("record: fluentd", comments["record"])
            text.line("fluentd:")
            text.line("  keep_time_key: \(keepsTimeKey)", comments["fluentd.keep_time_key"])
            text.line("  newline: \(endsWithNewline)", comments["fluentd.newline"])
        }
        text.blank()
        text.line("destination:")
        text.line("  stream: \(JobFileText.quoted(stream))", comments["destination.stream"])
        if let region { text.line("  region: \(JobFileText.quoted(region))", comments["destination.region"]) }
        text.line("  partition_key: source", comments["destination.partition_key"])
        if aggregatesKPL { text.line("  aggregate: kpl", comments["destination.aggregate"]) }
        if let requestBytes {
            text.line(
                "  request_bytes: \(Quantities.text(bytes: requestBytes))", comments["destination.request_bytes"])
        }
        text.blank()
        text.line("linger: \(Quantities.text(linger))", comments["linger"] ?? Self.ourDefault)
        text.line("max_in_flight: \(maxInFlight)", comments["max_in_flight"] ?? Self.ourDefault)
        text.line("rescan: \(Quantities.text(rescan))", comments["rescan"] ?? Self.ourDefault)
        text.line("rotate_wait: \(Quantities.text(rotateWait))", comments["rotate_wait"] ?? Self.ourDefault)
        text.blank()
        text.line("state:")
        text.line("  directory: \(JobFileText.quoted(stateDirectory))", "positions and lock")
        return text.text
    }

    private static let ourDefault = "not set: Sluice's default"
}

/// Lines of YAML with comments in one column.
struct JobFileText {
    private static let commentColumn = 40
    private(set) var text = ""

    mutating func blank() { text += "\n" }

    mutating func comment(_ comment: String) { text += "# \(Self.plain(comment))\n" }

    mutating func line(_ line: String, _ comment: String? = nil) {
        guard let comment, !comment.isEmpty else {
            text += line + "\n"
            return
        }
        let gap = max(2, Self.commentColumn - line.count)
        text += line + String(repeating: " ", count: gap) + "# \(Self.plain(comment))\n"
    }

    /// One line, whatever the configuration holds.
    private static func plain(_ text: String) -> String { escapeControlCharacters(text) }

    /// A double-quoted scalar (YAML 1.2, section 7.3.1).
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
                || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
