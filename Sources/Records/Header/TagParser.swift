// `program[pid]: text` of BSD syslog. RFC 3164 ends the tag at the first byte that is no letter or digit; real tags
// hold `/().-_` and more, and the colon may be missing, so: a tag is the first word up to its colon or bracket.

enum TagParser {
    /// Parses the tag at `i`, a place without a blank. Where there is none the message starts at `textStart`.
    static func parse(_ line: Bytes, from i: Int, textStart: Int, into parsed: inout ParsedLine) {
        let first = line[i]
        if first == Ascii.colon, i + 1 == line.count || line[i + 1] == Ascii.space {
            // `host : text`, and PIX `host : %ASA-6-302013: text`.
            let next = min(i + 2, line.count)
            if next < line.count, line[next] == Ascii.percent {
                parse(line, from: next, textStart: next, into: &parsed)
            } else {
                parsed.message = line.part(from: next)
            }
            return
        }
        if first == Ascii.openBracket {
            // A program without a name still logs its pid: `[123]: text`.
            if let (_, end) = line.number(at: i + 1, digitCountMax: 10), line.begins(with: "]:", at: end) {
                parsed.pid = line.part(i + 1, end)
                parsed.message = text(line, after: end + 2)
            } else {
                parsed.message = line.part(from: textStart)
            }
            return
        }
        scanTag(line, from: i, textStart: textStart, into: &parsed)
    }

    private static func scanTag(_ line: Bytes, from i: Int, textStart: Int, into parsed: inout ParsedLine) {
        var p = i
        var letterCount = 0
        var holdsColon = false
        while p < line.count, line[p] != Ascii.space {
            let byte = line[p]
            if byte == Ascii.openBracket, p > i, let (pid, end) = scanPID(line, at: p) {
                parsed.program = line.part(i, p)
                parsed.pid = pid
                parsed.message = text(line, after: end)
                return
            }
            if byte == Ascii.colon, p > i, let end = scanColon(line, at: p, hasLetter: letterCount > 0) {
                parsed.program = line.part(i, p)
                parsed.message = text(line, after: end)
                return
            }
            guard isTagByte(byte) || byte == Ascii.colon || byte == Ascii.openBracket || byte == Ascii.closeBracket
            else {
                parsed.message = line.part(from: textStart)
                return
            }
            if Ascii.isLetter(byte) || byte >= 0x80 { letterCount += 1 }
            if byte == Ascii.colon || byte == Ascii.openBracket { holdsColon = true }
            p += 1
        }
        // A word without colon is a tag when it looks like a name and text follows: `apache_error [Tue Jun 08 …`.
        let first = line[i]
        let isName =
            Ascii.isLetter(first) || Ascii.isDigit(first) || first == Ascii.slash || first == Ascii.percent
            || first == UInt8(ascii: "_") || first >= 0x80
        if p < line.count, isName, letterCount > 0, !holdsColon {
            parsed.program = line.part(i, p)
            parsed.message = line.part(from: p + 1)
        } else {
            parsed.message = line.part(from: textStart)
        }
    }

    /// `[pid]` at `i` and the place after it and its colon. A pid may be any word; empty brackets are no pid but belong
    /// to the tag's end all the same.
    private static func scanPID(_ line: Bytes, at i: Int) -> (pid: Bytes, end: Int)? {
        let limit = min(line.count, i + 2 + TextColumn.pid.byteCountMax)
        var close = i + 1
        while close < limit, line[close] != Ascii.closeBracket {
            guard line[close] > Ascii.space else { return nil }
            close += 1
        }
        guard close < limit else { return nil }
        let pid = line.part(i + 1, close)
        let next = close + 1
        if next == line.count || line[next] == Ascii.space { return (pid, next) }
        return line[next] == Ascii.colon ? (pid, next + 1) : nil
    }

    /// The place after the colon at `i` when it ends the tag. `Foo::Bar:` and the identity `drupal:` (written as
    /// `drupal::`) hold colons; `http://…` is text; `12:30:01` has no letter before it.
    private static func scanColon(_ line: Bytes, at i: Int, hasLetter: Bool) -> Int? {
        let next = i + 1
        if next == line.count || line[next] == Ascii.space { return next }
        if line[next] == Ascii.colon || line[i - 1] == Ascii.colon || !hasLetter { return nil }
        if line.begins(with: "//", at: next) { return nil }
        return next
    }

    /// The message after the tag: one blank is the separator, further blanks are the program's own.
    private static func text(_ line: Bytes, after end: Int) -> Bytes {
        end < line.count && line[end] == Ascii.space ? line.part(from: end + 1) : line.part(from: end)
    }

    static func isTagByte(_ byte: UInt8) -> Bool {
        if Ascii.isLetter(byte) || Ascii.isDigit(byte) || byte >= 0x80 { return true }
        return switch byte {
        case UInt8(ascii: "_"), Ascii.dash, Ascii.dot, Ascii.slash, UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "@"), Ascii.percent, UInt8(ascii: "+"), UInt8(ascii: "#"), UInt8(ascii: "~"),
            UInt8(ascii: "*"), UInt8(ascii: "&"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "'"):
            true
        default: false
        }
    }
}
