// The example job files of `jobs/` with other values in them: comments, order and the keys that nobody asked for stay.
// The examples themselves are compiled in (Templates/ links to them), so there is one text and nothing to keep in step.
// Pure: text in, text out.

/// A value for a key of a job file.
package enum TemplateValue: Sendable, Equatable {
    case scalar(String)
    case list([String])

    /// As YAML that means exactly this text, whatever is in it.
    var yaml: String {
        switch self {
        case .scalar(let text): Self.scalar(text)
        case .list(let items): "[" + items.map { Self.quoted($0) }.joined(separator: ", ") + "]"
        }
    }

    /// Plain where no reader could take it for something else: no number, no truth value, no sign of YAML.
    private static func scalar(_ text: String) -> String {
        let isPlain = text.wholeMatch(of: /[A-Za-z\/_][A-Za-z0-9\/_.:@-]*[A-Za-z0-9\/_-]/) != nil
        let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "null"]
        return isPlain && !words.contains(text.lowercased()) ? text : quoted(text)
    }

    /// Double-quoted style; `$${` is how a job file writes `${`.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.replacing("${", with: "$${").unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                out += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

package struct JobFileTemplate: Sendable {
    private let lines: [Substring]
    /// Where most remarks stand.
    private let remarkColumn: Int

    package init(_ kind: JobFile.Kind) {
        let bytes =
            switch kind {
            case .archive: PackageResources.archive_yaml
            case .ship: PackageResources.ship_yaml
            }
        self.init(text: String(decoding: bytes, as: UTF8.self))
    }

    init(text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var columns: [Int: Int] = [:]
        for line in lines {
            let entry = Entry(line, indent: line.prefix { $0 == " " }.count)
            if let column = entry?.remark?.column { columns[column, default: 0] += 1 }
        }
        remarkColumn = columns.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 0
    }

    /// The text with `values` (by dotted key) in place of the example's, and `title` as its first line. A key that the
    /// example shows in a comment (`# region: …`) is put in force; the values that have no line are returned, too.
    package func filled(title: String, values: [String: TemplateValue]) -> (text: String, unused: Set<String>) {
        var unused = Set(values.keys)
        var out = ["# " + title]
        var path: [(indent: Int, name: String)] = []
        /// Deeper lines belong to a value that was replaced.
        var droppedBelow: Int?
        for line in lines.dropFirst() {
            let indent = line.prefix { $0 == " " }.count
            if let limit = droppedBelow, !line.isEmpty {
                if indent > limit || line.dropFirst(indent).hasPrefix("- ") { continue }
                droppedBelow = nil
            }
            guard let entry = Entry(line, indent: indent) else {
                out.append(String(line))
                continue
            }
            while let last = path.last, last.indent >= indent { path.removeLast() }
            let key = (path.map(\.name) + [entry.name]).joined(separator: ".")
            if !entry.isComment { path.append((indent, entry.name)) }
            guard let value = values[key], unused.contains(key) else {
                out.append(String(line))
                continue
            }
            unused.remove(key)
            out.append(entry.line(with: value.yaml, indent: indent, remarkColumn: remarkColumn))
            if !entry.isComment { droppedBelow = indent }
        }
        return (out.joined(separator: "\n"), unused)
    }

    /// One `name: value  # comment` of a job file, or the same behind `# `.
    private struct Entry {
        let name: String
        let isComment: Bool
        /// What is said about the key, from `#` on, and the column it stands at.
        let remark: (text: Substring, column: Int)?

        init?(_ line: Substring, indent: Int) {
            var rest = line.dropFirst(indent)
            isComment = rest.hasPrefix("# ")
            if isComment { rest = rest.dropFirst(2) }
            guard let match = rest.prefixMatch(of: /([a-z_]+):(?: +|$)/) else { return nil }
            name = String(match.1)
            remark = Self.remark(of: rest[match.range.upperBound...]).map {
                ($0, line.distance(from: line.startIndex, to: $0.startIndex))
            }
        }

        func line(with value: String, indent: Int, remarkColumn: Int) -> String {
            let text = String(repeating: " ", count: indent) + "\(name): \(value)"
            guard let remark else { return text }
            return text + String(repeating: " ", count: max(2, remarkColumn - text.count)) + remark.text
        }

        /// `#` after a blank and outside quotes begins a comment (YAML 1.2 section 6.6).
        private static func remark(of value: Substring) -> Substring? {
            var quote: Character?
            var before: Character = " "
            for index in value.indices {
                let character = value[index]
                if let open = quote {
                    if character == open { quote = nil }
                } else if character == "\"" || character == "'" {
                    quote = character
                } else if character == "#", before == " " {
                    return value[index...]
                }
                before = character
            }
            return nil
        }
    }
}
