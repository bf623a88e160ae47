// The record that Fluentd's `in_tail` (format syslog) and its kinesis_streams plugin put on a stream for one line, for
// consumers that expect that JSON. What must stay true: for a line that Fluentd ships, the bytes are the same as those
// of fluentd 1.12 or newer with plugin 3 and the oj generator (Tests/Data/fluentd holds what these wrote); a line that
// Fluentd would drop is kept whole as `message`. Pure; no allocation but the growth of the output.
import Glibc

package struct FluentdRecord: Sendable {
    private let keepTimeKey: Bool
    private let newline: Bool

    /// - Parameter keepTimeKey: `time` comes first, as text: the header's time with runs of blanks made one.
    /// - Parameter newline: an LF at the end, as plugin 3 writes it; plugins 1 and 2, and 3 with `chomp_record`, do not.
    package init(keepTimeKey: Bool, newline: Bool) {
        self.keepTimeKey = keepTimeKey
        self.newline = newline
    }

    /// Appends the record of `line`, which has no line feed at its end. Lines after its first, joined to it by line
    /// feeds, are the end of the message: Fluentd never joins lines in this format.
    /// - Returns: false when Fluentd would have dropped the line with a warning; then all of it is the message.
    package func encode(_ line: UnsafeRawBufferPointer, into out: inout [UInt8]) -> Bool {
        let text = line.withoutReturn
        if let fields = SyslogFields(text) {
            if keepTimeKey {
                out.append(text: "{\"time\":\"")
                appendTime(text.slice(0, fields.timeEnd), to: &out)
                out.append(text: "\",\"host\":\"")
            } else {
                out.append(text: "{\"host\":\"")
            }
            out.appendEscaped(text.slice(fields.host.lowerBound, fields.host.upperBound))
            out.append(text: "\",\"ident\":\"")
            out.appendEscaped(text.slice(fields.ident.lowerBound, fields.ident.upperBound))
            if !fields.pid.isEmpty {
                out.append(text: "\",\"pid\":\"")
                out.appendEscaped(text.slice(fields.pid.lowerBound, fields.pid.upperBound))
            }
            out.append(text: "\",\"message\":\"")
            // The parser takes a second carriage return off, when there is one.
            out.appendEscaped(text.slice(fields.messageStart, text.count).withoutReturn)
            out.append(text: newline ? "\"}\n" : "\"}")
            return true
        }
        out.append(text: "{\"message\":\"")
        out.appendEscaped(text)
        out.append(text: newline ? "\"}\n" : "\"}")
        return false
    }

    private func appendTime(_ time: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        var from = 0
        while from < time.count {
            var end = time.place(of: Character.space, from: from, to: time.count)
            if end < time.count { end += 1 }
            out.appendEscaped(time.slice(from, end))
            while end < time.count, time[end] == Character.space { end += 1 }
            from = end
        }
    }
}

/// What Fluentd's syslog parser finds in a line: three words of time, then, with the expression
/// `(?<host>[^ ]*) (?<ident>[^ :\[]*)(?:\[(?<pid>[0-9]+)\])?(?:[^\:]*\:)? *(?<message>.*)$`, the rest.
private struct SyslogFields {
    var timeEnd: Int
    var host: Range<Int>
    var ident: Range<Int>
    /// Empty when there is none.
    var pid: Range<Int>
    var messageStart: Int

    private static let timeWordCount = 3

    init?(_ text: UnsafeRawBufferPointer) {
        let headEnd = text.place(of: Character.lineFeed, from: 0, to: text.count)
        var at = 0
        for _ in 0..<Self.timeWordCount {
            while at < headEnd, text[at] == Character.space { at += 1 }
            at = text.place(of: Character.space, from: at, to: headEnd) + 1
            guard at <= headEnd else { return nil }
        }
        timeEnd = at - 1
        guard isFluentdTime(text.slice(0, timeEnd)) else { return nil }
        let hostEnd = text.place(of: Character.space, from: at, to: headEnd)
        guard hostEnd < headEnd else { return nil }
        host = at..<hostEnd
        at = hostEnd + 1
        let identStart = at
        while at < headEnd, !Character.endsIdent(text[at]) { at += 1 }
        ident = identStart..<at
        pid = at..<at
        if at < headEnd, text[at] == Character.openBracket {
            var digitsEnd = at + 1
            while digitsEnd < headEnd, Character.isDigit(text[digitsEnd]) { digitsEnd += 1 }
            if digitsEnd > at + 1, digitsEnd < headEnd, text[digitsEnd] == Character.closeBracket {
                pid = at + 1..<digitsEnd
                at = digitsEnd + 1
            }
        }
        // Whatever stands before the first colon goes with it, also when it is far away.
        let colon = text.place(of: Character.colon, from: at, to: headEnd)
        if colon < headEnd { at = colon + 1 }
        while at < headEnd, text[at] == Character.space { at += 1 }
        messageStart = at
    }
}

private enum Character {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    @inline(__always) static func endsIdent(_ byte: UInt8) -> Bool {
        byte == space || byte == colon || byte == openBracket
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func slice(_ from: Int, _ to: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[from..<to])
    }

    /// Without one carriage return at the end.
    fileprivate var withoutReturn: UnsafeRawBufferPointer {
        last == Character.carriageReturn ? slice(0, count - 1) : self
    }

    /// The first place of `byte` in `from..<to`; `to` when there is none.
    @inline(__always)
    fileprivate func place(of byte: UInt8, from: Int, to: Int) -> Int {
        guard from < to, let base = baseAddress, let hit = memchr(base + from, Int32(byte), to - from) else {
            return to
        }
        return UnsafeRawPointer(hit) - base
    }
}
