// The grammar of structured data (RFC 5424 section 6.3), used twice: to find where it ends, and to write it as JSON.

/// Finds the end of structured data and checks it (RFC 5424 section 6.3).
enum StructuredDataScanner {
    enum Outcome {
        case whole(end: Int)
        /// At least one element is malformed; `StructuredDataWriter` leaves those out.
        case damaged(end: Int)
        /// No element closes: what looked like structured data is text.
        case unclosed
    }

    static func scan(_ line: Bytes, at start: Int) -> Outcome {
        var i = start
        var isDamaged = false
        while i < line.count, line[i] == Ascii.openBracket {
            if let end = endOfElement(line, at: i, each: { _, _ in }) {
                i = end
            } else if let end = endOfDamagedElement(line, at: i) {
                i = end
                isDamaged = true
            } else if i == start {
                return .unclosed
            } else {
                return .damaged(end: i)
            }
        }
        return isDamaged ? .damaged(end: i) : .whole(end: i)
    }

    /// The place after a well-formed element at `i`; each parameter is reported as name and still escaped value.
    static func endOfElement(_ line: Bytes, at start: Int, each: (_ name: Bytes, _ value: Bytes) -> Void) -> Int? {
        guard var i = endOfName(line, at: start + 1) else { return nil }
        while i < line.count {
            if line[i] == Ascii.closeBracket { return i + 1 }
            guard line[i] == Ascii.space else { return nil }
            i = line.skippingSpaces(from: i)
            if i < line.count, line[i] == Ascii.closeBracket { return i + 1 }
            guard let nameEnd = endOfName(line, at: i), line.begins(with: "=\"", at: nameEnd),
                let valueEnd = endOfValue(line, at: nameEnd + 2)
            else { return nil }
            each(line.part(i, nameEnd), line.part(nameEnd + 2, valueEnd))
            i = valueEnd + 1
        }
        return nil
    }

    /// SD-NAME: printable, none of `= ]"`; the limit of 32 is not kept by those who write it.
    static func endOfName(_ line: Bytes, at start: Int) -> Int? {
        var i = start
        while i < line.count {
            let byte = line[i]
            if byte == UInt8(ascii: "=") || byte == Ascii.space || byte == Ascii.closeBracket { break }
            guard byte > Ascii.space, byte != 0x7F, byte != Ascii.quote else { return nil }
            i += 1
        }
        return i > start ? i : nil
    }

    /// The place of the closing quote. A `]` without its backslash is taken as written: the quote leaves no doubt.
    private static func endOfValue(_ line: Bytes, at start: Int) -> Int? {
        var i = start
        while i < line.count {
            if line[i] == Ascii.quote { return i }
            i += line[i] == Ascii.backslash ? 2 : 1
        }
        return nil
    }

    /// A malformed element ends at its first `]` before a blank, another element or the end.
    static func endOfDamagedElement(_ line: Bytes, at start: Int) -> Int? {
        var i = line.place(of: Ascii.closeBracket, from: start + 1)
        while i < line.count {
            let next = i + 1
            if next == line.count || line[next] == Ascii.space || line[next] == Ascii.openBracket { return next }
            i = line.place(of: Ascii.closeBracket, from: next)
        }
        return nil
    }
}
