// Splits a command line the way a POSIX shell splits words, and does nothing else that a shell does: no variables,
// no globs, no pipes. The rules are those of Python's shlex.split, which botocore uses for credential_process.

enum ShellWords {
    /// The words of `text`; nil when a quote is not closed or a backslash ends the text.
    static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var scalars = text.unicodeScalars.makeIterator()
        func append(_ scalar: Unicode.Scalar) { word = (word ?? "") + String(Character(scalar)) }

        while let scalar = scalars.next() {
            switch scalar {
            case " ", "\t", "\n", "\r":
                if let done = word { words.append(done) }
                word = nil
            case "'":
                word = word ?? ""
                var isClosed = false
                while let inner = scalars.next() {
                    if inner == "'" {
                        isClosed = true
                        break
                    }
                    append(inner)
                }
                guard isClosed else { return nil }
            case "\"":
                word = word ?? ""
                var isClosed = false
                while let inner = scalars.next() {
                    if inner == "\"" {
                        isClosed = true
                        break
                    }
                    guard inner == "\\" else {
                        append(inner)
                        continue
                    }
                    // Inside double quotes a backslash escapes only the quote and itself.
                    guard let escaped = scalars.next() else { return nil }
                    if escaped != "\"", escaped != "\\" { append("\\") }
                    append(escaped)
                }
                guard isClosed else { return nil }
            case "\\":
                guard let escaped = scalars.next() else { return nil }
                append(escaped)
            default:
                append(scalar)
            }
        }
        if let done = word { words.append(done) }
        return words
    }
}
