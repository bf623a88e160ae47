// RFC 5424: `<PRI>VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`. Read as the RFC writes it,
// with these liberties, all met in practice: names longer than its limits (the columns cut them), fractions of any
// length, lower-case `t` and `z`, a missing zone, missing structured data (Heroku), and records without PRI.

import CivilTime

enum RFC5424Parser {
    /// Parses from `i` on, which stands at the VERSION. False when it is no such header; `parsed` is then untouched.
    /// `needsVersion` is false where the job says that lines are RFC 5424: then PRI and VERSION may both be missing.
    static func parse(_ line: Bytes, from i: Int, needsVersion: Bool = true, into parsed: inout ParsedLine) -> Bool {
        var i = i
        if let (_, end) = line.number(at: i, digitCountMax: 3), line[i] != UInt8(ascii: "0"), end < line.count,
            line[end] == Ascii.space
        {
            i = end + 1
        } else if needsVersion {
            return false
        }
        guard let (timestamp, afterTime) = scanToken(line, at: i), let time = headerTime(timestamp),
            let (host, afterHost) = scanToken(line, at: afterTime),
            let (program, afterProgram) = scanToken(line, at: afterHost),
            let (pid, afterPID) = scanToken(line, at: afterProgram),
            let (messageID, afterMessageID) = scanToken(line, at: afterPID)
        else { return false }
        parsed.format = .rfc5424
        parsed.message = .none
        parsed.time = time
        parsed.host = valueOrNil(host)
        parsed.program = valueOrNil(program)
        parsed.pid = valueOrNil(pid)
        parsed.messageID = valueOrNil(messageID)
        parseBody(line, from: afterMessageID, into: &parsed)
        return true
    }

    /// A header field: printable bytes up to a blank, which must be there (section 6: structured data follows).
    private static func scanToken(_ line: Bytes, at i: Int) -> (token: Bytes, next: Int)? {
        let end = line.place(of: Ascii.space, from: i)
        guard end > i, end < line.count else { return nil }
        let token = line.part(i, end)
        return token.contains(where: { $0 < Ascii.space || $0 == 0x7F }) ? nil : (token, end + 1)
    }

    private static func valueOrNil(_ token: Bytes) -> Bytes {
        token.count == 1 && token[0] == Ascii.dash ? .none : token
    }

    private static func headerTime(_ token: Bytes) -> HeaderTime? {
        if token.count == 1, token[0] == Ascii.dash { return .absent }
        guard let scanned = ISODateTimeScanner.scan(token), scanned.length == token.count else { return nil }
        return HeaderTime(scanned)
    }

    private static func parseBody(_ line: Bytes, from i: Int, into parsed: inout ParsedLine) {
        guard i < line.count else { return }
        var end = i
        if line[i] == Ascii.dash, i + 1 == line.count || line[i + 1] == Ascii.space {
            end = i + 1
        } else if line[i] == Ascii.openBracket {
            switch StructuredDataScanner.scan(line, at: i) {
            case .whole(let dataEnd):
                parsed.structuredData = .elements(line.part(i, dataEnd))
                end = dataEnd
            case .damaged(let dataEnd):
                parsed.structuredData = .elements(line.part(i, dataEnd))
                parsed.isPartial = true
                end = dataEnd
            case .unclosed:
                parsed.isPartial = true
            }
        }
        if end > i, end < line.count, line[end] == Ascii.space { end += 1 }
        // Section 6.4: a byte order mark says that the text is UTF-8 and is no part of it.
        if line.begins(with: "\u{FEFF}", at: end) { end += 3 }
        parsed.message = line.part(from: end)
    }
}
