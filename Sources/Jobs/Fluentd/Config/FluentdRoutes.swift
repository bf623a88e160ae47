// Which lines reach which output: sources, match sections in their order, labels, copies. Pure.

/// The way from a tail source to one output that puts records on a stream.
struct FluentdFlow {
    var source: FluentdSection
    /// A <match>, or a <store> inside one.
    var output: FluentdSection
    /// What changes or drops events on the way, in order.
    var filters: [FluentdSection]
    var tag: FluentdTag
}

struct FluentdRoutes {
    /// Labels that lead to each other end here.
    static let hopsMax = 16
    static let flowsMax = 200
    static let outputTypes = ["kinesis_streams", "kinesis", "kinesis_streams_aggregated", "kinesis_producer"]

    /// Outputs that give nothing back to Fluentd.
    private static let sinkTypes: Set<String> = [
        "null", "stdout", "file", "forward", "secure_forward", "s3", "elasticsearch", "opensearch", "mongo", "kafka2",
        "http", "exec", "cloudwatch_logs", "dynamodb", "sqs", "monitor_agent",
    ]

    private(set) var flows: [FluentdFlow] = []
    private(set) var notes: [FluentdNote] = []
    private var routers: [String: [Rule]] = [:]

    private struct Rule {
        var section: FluentdSection
        var pattern: FluentdPattern
    }

    /// A place on the way.
    private struct Hop {
        var source: FluentdSection
        var tag: FluentdTag
        var filters: [FluentdSection] = []
        var count = 0
    }

    init(_ root: FluentdSection) {
        let top = Self.flattened(root)
        routers[""] = Self.rules(top)
        for label in top where label.name == "label" {
            routers[label.argument.text ?? "", default: []] += Self.rules(label.sections)
        }
        for section in top {
            switch section.name {
            case "source": follow(source: section)
            case "match", "filter", "label": break
            case "system": note(.ignored, section, "is about Fluentd's own process")
            default: note(.refused, section, "is not a section that Sluice knows")
            }
        }
        for setting in root.settings { noteTopLevel(setting) }
    }

    /// What a <worker> section holds stands at the top for us: one process does it all.
    private static func flattened(_ root: FluentdSection) -> [FluentdSection] {
        root.sections.flatMap { $0.name == "worker" ? $0.sections : [$0] }
    }

    private static func rules(_ sections: [FluentdSection]) -> [Rule] {
        sections.filter { $0.name == "match" || $0.name == "filter" }
            .map { Rule(section: $0, pattern: FluentdPattern($0.argument)) }
    }

    private mutating func note(_ outcome: FluentdNote.Outcome, _ section: FluentdSection, _ text: String) {
        notes.append(FluentdNote(outcome, section.place, section.title, text))
    }

    private mutating func noteTopLevel(_ setting: FluentdSetting) {
        let isKnown = ["@log_level", "log_level"].contains(setting.key)
        notes.append(
            FluentdNote(
                isKnown ? .ignored : .refused, setting.place, setting.key,
                isKnown ? "use --log-level" : "a setting outside of any section has no meaning"))
    }

    private mutating func follow(source: FluentdSection) {
        guard source.type == "tail" else {
            return note(.refused, source, "only @type tail is read from: what this source brings is not shipped")
        }
        guard let tag = FluentdTag(source) else {
            return note(
                .refused, source, "has no tag (or one that only Fluentd can tell): no match section can be found")
        }
        if tag.isGuessed {
            note(.mapped, source, "its tag depends on the file names; match sections were looked up for \(tag.text)")
        }
        let label = source.setting("@label")?.value.text ?? ""
        let before = flows.count
        let isNoted = notes.count
        follow(Hop(source: source, tag: tag), router: label, from: source)
        if flows.count == before, notes.count == isNoted {
            note(.refused, source, "no match section takes its tag \(tag.text) to a Kinesis stream")
        }
    }

    /// Through one router: filters, then the first match section.
    private mutating func follow(_ hop: Hop, router name: String, from: FluentdSection) {
        guard let rules = routers[name] else {
            return note(.refused, from, "goes to the label \(name), which does not exist")
        }
        guard hop.count < Self.hopsMax else {
            return note(.refused, from, "its labels lead through more than \(Self.hopsMax) places")
        }
        var hop = hop
        hop.count += 1
        for rule in rules {
            switch rule.pattern.matches(hop.tag.text) {
            case false?: continue
            case nil: note(.refused, rule.section, "its pattern cannot be read; it is passed over for \(hop.tag.text)")
            case true? where rule.section.name == "filter": hop.filters.append(rule.section)
            case true?: return deliver(hop, to: rule.section)
            }
        }
    }

    private mutating func deliver(_ hop: Hop, to output: FluentdSection) {
        guard hop.count < Self.hopsMax, flows.count < Self.flowsMax else {
            return note(.refused, output, "more outputs or steps than Sluice follows")
        }
        let type = output.type ?? ""
        if Self.outputTypes.contains(type) {
            flows.append(FluentdFlow(source: hop.source, output: output, filters: hop.filters, tag: hop.tag))
            return
        }
        switch type {
        case "copy":
            var hop = hop
            hop.count += 1
            for store in output.sections(named: "store") { deliver(hop, to: store) }
        case "relabel":
            follow(hop, router: output.setting("@label")?.value.text ?? "", from: output)
        case _ where Self.sinkTypes.contains(type):
            note(.ignored, output, "what goes to @type \(type) does not reach a stream")
        case "kinesis_firehose":
            note(
                .refused, output, "a Firehose delivery stream is not a Kinesis data stream: Sluice does not send to it")
        default:
            note(
                .refused, output,
                "Sluice does not know @type \(printable(type)): events that it gives on to other sections are not shipped"
            )
        }
    }
}

/// The tag that `in_tail` gives.
struct FluentdTag {
    var text: String
    /// As it is written: names the job.
    var written: String
    /// It holds the name of the file, which a pattern leaves open.
    var isGuessed: Bool

    init?(_ source: FluentdSection) {
        guard let tag = source.setting("tag")?.value.text, !tag.isEmpty else { return nil }
        written = tag
        guard let star = tag.firstIndex(of: "*") else {
            text = tag
            isGuessed = false
            return
        }
        let first = source.setting("path")?.value.text?.split(separator: ",").first.map(String.init) ?? ""
        let path = first.trimmingBlanks
        let parts = path.split(separator: "/").joined(separator: ".").split(separator: ".")
        text = tag[..<star] + parts.joined(separator: ".") + tag[tag.index(after: star)...].prefix { $0 != "*" }
        isGuessed = path.contains("*") || path.contains("%")
    }
}

extension FluentdSection {
    /// `<match drupal.**>`, for messages.
    var title: String {
        let words = [printable(name), printable(argument.shown)].filter { !$0.isEmpty }
        return "<\(words.joined(separator: " "))>"
    }
}

/// A word of the configuration as messages show it.
func printable(_ text: String) -> String { String(text.prefix(100)) }
