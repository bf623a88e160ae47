// One path of `in_tail` as patterns of a job file: dates become patterns, braces are written out, and characters that
// Fluentd takes as they are stay so.

struct FluentdPath {
    static let patternsMax = 100

    var patterns: [String] = []
    var isDated = false
    /// Why it cannot be a pattern of a job file.
    var problem: String?

    /// - Parameter globs: `?`, `[…]` and `{…}` are patterns also when no `*` is there.
    init(_ text: String, globs: Bool) {
        guard text.hasPrefix("/") || text.hasPrefix("${") else {
            problem =
                "\(printable(text)) is not an absolute path: Fluentd takes it from the folder where it was started"
            return
        }
        let isPattern = globs || text.contains("*")
        let plain = isPattern ? text : Self.literal(text)
        let dated = Self.withoutDates(plain)
        isDated = dated != plain
        guard !dated.contains("**/") else {
            problem = "`**/` is not a pattern of sluice: write the folders out, each with its own pattern"
            return
        }
        patterns = isPattern ? Self.expandBraces(dated) : [dated]
        if patterns.count > Self.patternsMax { problem = "its braces stand for more than \(Self.patternsMax) paths" }
    }

    /// A job file reads `?` and `[` as patterns.
    private static func literal(_ text: String) -> String {
        text.map { "?[".contains($0) ? "[\($0)]" : String($0) }.joined()
    }

    /// strftime's directives as patterns of as many digits.
    private static func withoutDates(_ text: String) -> String {
        let digit = "[0-9]"
        let digitCounts: [Character: Int] = [
            "Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "y": 2, "j": 3, "I": 2, "C": 2, "U": 2, "W": 2, "V": 2,
        ]
        var out = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "%", var directive = rest.popFirst() else {
                out.append(character)
                continue
            }
            let isPadded = !"-_^#:".contains(directive)
            if !isPadded, let next = rest.popFirst() { directive = next }
            if directive == "%" {
                out += "%"
            } else if directive == "F" {
                out += [4, 2, 2].map { String(repeating: digit, count: $0) }.joined(separator: "-")
            } else if isPadded, let count = digitCounts[directive] {
                out += String(repeating: digit, count: count)
            } else {
                out += "*"
            }
        }
        return out
    }

    /// `{a,b}` outside of `${…}`: every combination, the first braces varying slowest.
    private static func expandBraces(_ text: String) -> [String] {
        var done: [String] = []
        var waiting = [text]
        while let next = waiting.popLast(), done.count + waiting.count <= patternsMax {
            guard let group = braces(next) else {
                done.append(next)
                continue
            }
            let inside = next[next.index(after: group.lowerBound)..<group.upperBound]
            let after = next[next.index(after: group.upperBound)...]
            for choice in inside.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                waiting.append(String(next[..<group.lowerBound]) + choice + after)
            }
        }
        return done + waiting
    }

    /// The innermost first pair: its opening and closing brace.
    private static func braces(_ text: String) -> Range<String.Index>? {
        var open: String.Index?
        var isVariable = false
        var previous: Character?
        for index in text.indices {
            switch text[index] {
            case "{" where previous == "$": isVariable = true
            case "{" where !isVariable: open = index
            case "}" where isVariable: isVariable = false
            case "}":
                if let open { return open..<index }
            default: break
            }
            previous = text[index]
        }
        return nil
    }
}
