// A Fluentd configuration as it is written: sections with settings, each with its place. Nothing is interpreted here.

/// A line of a configuration file, as messages name it.
package struct FluentdPlace: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var file: String
    /// Counts from 1; 0 is the file as a whole.
    package var line: Int

    package var description: String { line == 0 ? file : "\(file):\(line)" }

    package static func < (a: FluentdPlace, b: FluentdPlace) -> Bool { (a.file, a.line) < (b.file, b.line) }
}

/// The right side of a setting. Variables of the environment are kept as such; other Ruby code is not run.
struct FluentdValue: Equatable {
    enum Part: Equatable {
        case text(String)
        /// `#{ENV['NAME']}`, with the text that stands after `||` or in `fetch`.
        case variable(name: String, fallback: String?)
        case code
    }
    var parts: [Part]

    init(_ text: String) { parts = text.isEmpty ? [] : [.text(text)] }
    init(parts: [Part]) { self.parts = parts }

    /// As plain text; nil when only running Fluentd can tell.
    var text: String? {
        var text = ""
        for part in parts {
            guard case .text(let piece) = part else { return nil }
            text += piece
        }
        return text
    }

    var hasCode: Bool { parts.contains(.code) }

    /// With `${NAME}` for variables, and `$${` for a `${` that is text: how a job file writes it. Nil with Ruby code.
    var jobFileText: String? {
        var text = ""
        for part in parts {
            switch part {
            case .text(let piece): text += piece.replacing("${", with: "$${")
            case .variable(let name, let fallback): text += "${\(name)\(fallback.map { ":-\($0)" } ?? "")}"
            case .code: return nil
            }
        }
        return text
    }

    /// For messages.
    var shown: String {
        parts.map { part in
            switch part {
            case .text(let piece): piece
            case .variable(let name, _): "#{ENV['\(name)']}"
            case .code: "#{…}"
            }
        }.joined()
    }
}

struct FluentdSetting: Equatable {
    var key: String
    var value: FluentdValue
    var place: FluentdPlace
}

/// `<name argument> … </name>`; the whole file is one without a name.
struct FluentdSection: Equatable {
    var name: String
    var argument: FluentdValue
    var place: FluentdPlace
    /// In the order of the files, also those that a later one replaces.
    var settings: [FluentdSetting] = []
    var sections: [FluentdSection] = []

    /// The value that counts: the last one.
    func setting(_ keys: String...) -> FluentdSetting? {
        settings.last { keys.contains($0.key) }
    }

    func sections(named name: String) -> [FluentdSection] { sections.filter { $0.name == name } }

    /// `@type`, or `type` in the older form.
    var type: String? { setting("@type", "type")?.value.text }
}
