// Which tags a <match> or <filter> takes (docs.fluentd.org, "Config File Syntax", "How do the match patterns work?").

/// The patterns of one section's argument, any of which may match.
struct FluentdPattern {
    /// Longer ones are mistakes.
    static let bytesMax = 4_096
    static let tagBytesMax = 4_096

    /// Nil stands for one that cannot be read.
    private let expressions: [Regex<AnyRegexOutput>?]

    /// - Parameter argument: one pattern or several between blanks; without any, everything matches.
    init(_ argument: FluentdValue) {
        guard let text = argument.text, text.utf8.count <= Self.bytesMax else {
            expressions = [nil]
            return
        }
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        expressions = (words.isEmpty ? ["**"] : words).map { word in
            if word.hasPrefix("/") {
                guard word.count > 1, word.hasSuffix("/") else { return nil }
                return try? Regex(String(word.dropFirst().dropLast()))
            }
            return try? Regex(Self.expression(for: word))
        }
    }

    /// Nil when a pattern cannot be read and none of the others matches.
    func matches(_ tag: String) -> Bool? {
        guard tag.utf8.count <= Self.tagBytesMax else { return nil }
        var isUnknown = false
        for expression in expressions {
            guard let expression else {
                isUnknown = true
                continue
            }
            if (try? expression.wholeMatch(in: tag)) != nil { return true }
        }
        return isUnknown ? nil : false
    }

    /// `*` is one part of a tag, `**` any number, `{a,b}` either; `a.**` matches `a` too.
    private static func expression(for pattern: Substring) -> String {
        var out = ""
        var depth = 0
        // A dot waits for what follows: before `**` it is a part of it.
        var hasDot = false
        var rest = pattern
        while let character = rest.first {
            if rest.hasPrefix("**") {
                rest = rest.dropFirst(2)
                if hasDot { out += #"(?![^.])"# }
                hasDot = false
                if rest.hasPrefix(".") {
                    rest = rest.dropFirst()
                    out += #"(?:.*\.|\A)"#
                } else {
                    out += ".*"
                }
                continue
            }
            if hasDot { out += #"\."# }
            hasDot = character == "."
            rest = rest.dropFirst()
            switch character {
            case ".": break
            case "*": out += #"[^.]*"#
            case "\\":
                if let next = rest.popFirst() { out += escaped(next) }
            case "{":
                depth += 1
                out += "(?:"
            case "}" where depth > 0:
                depth -= 1
                out += ")"
            case "," where depth > 0: out += "|"
            default: out += escaped(character)
            }
        }
        return out + String(repeating: ")", count: depth)
    }

    private static func escaped(_ character: Character) -> String {
        character.isLetter || character.isNumber || character == "_" ? String(character) : "\\\(character)"
    }
}
