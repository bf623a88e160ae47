// Whether Fluentd takes a text for the time of a syslog header: `%b %d %H:%M:%S` as the strptime gem reads it. Which
// year or zone it means does not matter here; that it is a time decides whether Fluentd ships the line. Pure.

/// True for a month's name or its first three letters in any case, day 1 to 31, hour, minute and second (up to 60) of one
/// or two digits; white space may stand around the day, and anything after the second. No calendar: 31 November is one.
func isFluentdTime(_ text: UnsafeRawBufferPointer) -> Bool {
    var scanner = TimeScanner(text: text)
    return scanner.month() && scanner.blanks() && scanner.number(1...31) && scanner.blanks()
        && scanner.number(0...23) && scanner.colon() && scanner.number(0...59) && scanner.colon()
        && scanner.number(0...60)
}

private struct TimeScanner {
    let text: UnsafeRawBufferPointer
    var at = 0

    private static let months: [StaticString] = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let shortLength = 3

    init(text: UnsafeRawBufferPointer) { self.text = text }

    mutating func month() -> Bool {
        guard text.count > Self.shortLength else { return false }
        for name in Self.months where matches(name, length: Self.shortLength) {
            let length = name.utf8CodeUnitCount
            at = matches(name, length: length) ? length : Self.shortLength
            return true
        }
        return false
    }

    @inline(__always)
    private func matches(_ name: StaticString, length: Int) -> Bool {
        guard text.count >= length else { return false }
        for i in 0..<length where lowercased(text[i]) != name.utf8Start[i] { return false }
        return true
    }

    @inline(__always)
    private func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Space and the controls from tab to carriage return; none is fine too.
    mutating func blanks() -> Bool {
        while at < text.count, text[at] == 0x20 || text[at] &- 9 < 5 { at += 1 }
        return true
    }

    mutating func colon() -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: ":") else { return false }
        at += 1
        return true
    }

    /// One or two digits.
    mutating func number(_ range: ClosedRange<Int>) -> Bool {
        var value = 0
        let end = min(at + 2, text.count)
        let start = at
        while at < end, text[at] &- 0x30 < 10 {
            value = value * 10 + Int(text[at] &- 0x30)
            at += 1
        }
        return at > start && range.contains(value)
    }
}
