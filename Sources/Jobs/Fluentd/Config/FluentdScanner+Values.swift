// The values of settings: bare to the end of the line, in quotes (over several lines, with escapes and Ruby code), or
// JSON over several lines.

extension FluentdScanner {
    /// The rest of a setting's line, and more lines where the value says so.
    mutating func value() throws(FluentdConfigError) -> FluentdValue {
        skipBlanks()
        switch byte {
        case UInt8(ascii: "\""): return try ended(doubleQuoted(), "the closing quote")
        case UInt8(ascii: "'"): return try ended(singleQuoted(), "the closing quote")
        case UInt8(ascii: "["), UInt8(ascii: "{"): return try ended(json(), "the JSON value")
        default: return bare()
        }
    }

    private mutating func ended(_ value: FluentdValue, _ what: String) throws(FluentdConfigError) -> FluentdValue {
        try endLine(after: what)
        return value
    }

    /// The argument of a section: up to `>` on the same line.
    mutating func argument() throws(FluentdConfigError) -> FluentdValue {
        skipBlanks()
        let value: FluentdValue
        switch byte {
        case UInt8(ascii: "\""): value = try doubleQuoted()
        case UInt8(ascii: "'"): value = try singleQuoted()
        default:
            let start = at
            while !isAtLineEnd, byte != UInt8(ascii: ">") { at += 1 }
            var end = at
            while end > start, Self.isBlank(bytes[end - 1]) { end -= 1 }
            value = FluentdValue(text(start, end))
        }
        skipBlanks()
        guard byte == UInt8(ascii: ">") else {
            throw failure("`>` is missing", hint: "a section begins with one line such as <match drupal.**>")
        }
        at += 1
        try endLine(after: "`>`")
        return value
    }

    /// Up to the end of the line, or to blanks and a `#`.
    private mutating func bare() -> FluentdValue {
        let start = at
        var end = at
        while !isAtLineEnd {
            if Self.isBlank(bytes[at]) {
                skipBlanks()
                if byte == UInt8(ascii: "#") { skipLine() }
            } else {
                at += 1
                end = at
            }
        }
        return FluentdValue(text(start, end))
    }

    private mutating func singleQuoted() throws(FluentdConfigError) -> FluentdValue {
        let opening = place
        at += 1
        var out: [UInt8] = []
        while !isAtLineEnd {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "'") { return FluentdValue(String(decoding: out, as: UTF8.self)) }
            if byte == UInt8(ascii: "\\"), at < bytes.count, "'\\".utf8.contains(bytes[at]) {
                out.append(bytes[at])
                at += 1
            } else {
                out.append(byte)
            }
        }
        throw unclosed(opening)
    }

    private func unclosed(_ opening: FluentdPlace) -> FluentdConfigError {
        FluentdConfigError(
            place: opening, cause: "a quote begins here and is not closed", hint: "add the closing quote")
    }

    private mutating func doubleQuoted() throws(FluentdConfigError) -> FluentdValue {
        let opening = place
        at += 1
        var value = FluentdValue("")
        var out: [UInt8] = []
        func flush() {
            if !out.isEmpty { value.parts.append(.text(String(decoding: out, as: UTF8.self))) }
            out = []
        }
        while let byte {
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                flush()
                return value
            case UInt8(ascii: "\\"): try escape(into: &out)
            case UInt8(ascii: "#") where begins(with: "#{"):
                flush()
                value.parts.append(fluentdRubyPart(try rubyCode()))
            default:
                out.append(byte)
                step()
            }
        }
        throw unclosed(opening)
    }

    private mutating func escape(into out: inout [UInt8]) throws(FluentdConfigError) {
        at += 1
        guard let byte else { return }
        switch byte {
        // A backslash before the line end joins the lines.
        case 0x0A: return step()
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "0"): out.append(0x00)
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A:
            throw failure(
                "this letter has no meaning after a backslash", hint: "write \\\\ for a backslash, or use '…'")
        default: out.append(byte)
        }
        at += 1
    }

    /// What stands between `#{` and its `}`; quotes and braces inside are paired.
    private mutating func rubyCode() throws(FluentdConfigError) -> String {
        let opening = place
        at += 2
        let start = at
        var depth = 1
        var quote: UInt8?
        while let byte {
            if let open = quote {
                if byte == UInt8(ascii: "\\"), at + 1 < bytes.count { step() } else if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: "{") {
                depth += 1
            } else if byte == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 {
                    at += 1
                    return text(start, at - 1)
                }
            }
            step()
        }
        throw FluentdConfigError(
            place: opening, cause: "`#{` begins here and is not closed", hint: "add the closing `}`")
    }

    /// A JSON array or object; `#` outside its strings begins a comment.
    private mutating func json() throws(FluentdConfigError) -> FluentdValue {
        let opening = place
        var out: [UInt8] = []
        var depth = 0
        var isInString = false
        while let byte {
            if isInString {
                if byte == UInt8(ascii: "\\"), at + 1 < bytes.count {
                    out.append(byte)
                    step()
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: "#") {
                skipLine()
                continue
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") {
                depth += 1
            } else if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") {
                depth -= 1
            }
            out.append(bytes[at])
            step()
            if depth == 0 { return FluentdValue(String(decoding: out, as: UTF8.self)) }
        }
        throw FluentdConfigError(
            place: opening, cause: "a value that begins with `[` or `{` is JSON, and this one is not closed",
            hint: "close it, or put the value in quotes")
    }
}
