// BSD syslog (RFC 3164) as it is met: with and without PRI, host or tag, with ISO timestamps (syslog-ng, rsyslog),
// with Cisco's sequence numbers and colons. The RFC describes practice and prescribes little, so each rule here
// names what it is for. A line without a timestamp is none of these.

import CivilTime

enum RFC3164Parser {
    /// Parses from `i` on, which stands after the PRI. False when there is no timestamp; `parsed` is then untouched.
    static func parse(_ line: Bytes, from i: Int, into parsed: inout ParsedLine) -> Bool {
        var i = line.skippingSpaces(from: i)
        if let scanned = HeaderTimeScanner.scan(line, at: i) {
            parsed.time = scanned.time
            i = scanned.end
        } else if let end = skipSequence(line, at: i) {
            // Cisco: `65536: *Mar  1 18:46:11: %SYS-5-CONFIG_I: text`, or an uptime in place of the time.
            if let scanned = HeaderTimeScanner.scan(line, at: end) {
                parsed.time = scanned.time
                i = scanned.end
            } else if let tag = skipUptime(line, at: end) {
                i = tag
            } else {
                return false
            }
        } else if let tag = skipUptime(line, at: i) {
            i = tag
        } else {
            return false
        }
        parsed.format = .rfc3164
        parsed.message = .none
        parseHost(line, from: line.skippingSpaces(from: i), textStart: min(i + 1, line.count), into: &parsed)
        return true
    }

    /// `65536: ` before the timestamp.
    private static func skipSequence(_ line: Bytes, at i: Int) -> Int? {
        guard let (_, end) = line.number(at: i, digitCountMax: 12), end + 1 < line.count,
            line[end] == Ascii.colon, line[end + 1] == Ascii.space
        else { return nil }
        return line.skippingSpaces(from: end + 1)
    }

    /// `11w2d: ` or `00:00:46: ` before a Cisco `%FACILITY-…` tag; the place of the `%`.
    private static func skipUptime(_ line: Bytes, at i: Int) -> Int? {
        var end = i
        while end < line.count, end - i <= 20,
            Ascii.isDigit(line[end]) || line[end] == Ascii.colon || "ywdhms".utf8.contains(line[end])
        {
            end += 1
        }
        guard end - i >= 3, Ascii.isDigit(line[i]), line[end - 1] == Ascii.colon, line.begins(with: " %", at: end)
        else { return nil }
        return end + 1
    }

    /// What follows the timestamp: host and tag, either of which may be missing. `textStart` is where the text begins
    /// when neither is there.
    private static func parseHost(_ line: Bytes, from i: Int, textStart: Int, into parsed: inout ParsedLine) {
        guard i < line.count else { return }
        if isTextOfSyslogd(line, at: i) {
            parsed.message = line.part(from: i)
            return
        }
        if line.begins(with: "Message forwarded from ", at: i) {
            // AIX: `Message forwarded from HOST: tag[pid]: text`.
            let start = i + 23
            let colon = line.place(of: Ascii.colon, from: start)
            if colon < line.count, colon > start, line.place(of: Ascii.space, from: start) > colon {
                parsed.host = line.part(start, colon)
                parseTag(line, after: colon + 1, into: &parsed)
                return
            }
        }
        let tokenEnd = line.place(of: Ascii.space, from: i)
        let token = line.part(i, tokenEnd)
        switch HostToken.kind(of: token, followedBy: line.part(from: line.skippingSpaces(from: tokenEnd))) {
        case .host(let length):
            parsed.host = line.part(i, i + length)
            parseTag(line, after: tokenEnd, into: &parsed)
        case .tag:
            TagParser.parse(line, from: i, textStart: i, into: &parsed)
        case .text:
            parsed.message = line.part(from: textStart)
        }
    }

    /// The tag after the host; `end` is the place after the host.
    private static func parseTag(_ line: Bytes, after end: Int, into parsed: inout ParsedLine) {
        let i = line.skippingSpaces(from: end)
        // One blank ends the host; those after it belong to a text without tag.
        let textStart = min(end + 1, line.count)
        guard i < line.count else {
            parsed.message = line.part(from: textStart)
            return
        }
        if isTextOfSyslogd(line, at: i) {
            parsed.message = line.part(from: i)
            return
        }
        TagParser.parse(line, from: i, textStart: textStart, into: &parsed)
    }

    /// Lines that syslogd writes itself, without a tag.
    private static func isTextOfSyslogd(_ line: Bytes, at i: Int) -> Bool {
        switch line[i] {
        case UInt8(ascii: "l"): line.begins(with: "last message repeated ", at: i)
        case UInt8(ascii: "m"): line.begins(with: "message repeated ", at: i)
        case Ascii.dash:
            line.begins(with: "-- MARK --", at: i) || line.begins(with: "--- last message repeated ", at: i)
        default: false
        }
    }
}
