// The timestamps that stand at the head of a line: BSD (RFC 3164) with what devices make of it, ISO 8601, seconds
// since 1970. A timestamp ends at a blank, at the end of the line, or at a colon of its own.

import CivilTime

enum HeaderTimeScanner {
    /// The timestamp at `i` and the place after it (and after its colon), or nil.
    static func scan(_ line: Bytes, at i: Int) -> (time: HeaderTime, end: Int)? {
        guard i < line.count else { return nil }
        let byte = line[i]
        if Ascii.isDigit(byte) {
            return scanISO(line, at: i) ?? scanYearFirst(line, at: i) ?? scanSeconds(line, at: i)
        }
        // Cisco marks a clock that is not synchronised with `*` or `.`.
        if byte == UInt8(ascii: "*") || byte == Ascii.dot { return scanBSD(line, at: i + 1, year: nil) }
        return scanBSD(line, at: i, year: nil)
    }

    /// True for `Mmm dd hh:mm:ss ` at the start, when there is nothing about it that needs a second look: neither a day
    /// that some months or years lack, nor a year or a zone name after the time. `scan` accepts all that this does.
    static func isPlainBSD(_ line: Bytes) -> Bool {
        guard line.count > 20, line[3] == Ascii.space, line[6] == Ascii.space, line[9] == Ascii.colon,
            line[12] == Ascii.colon, line[15] == Ascii.space, !Ascii.isDigit(line[16]), line[19] != Ascii.colon,
            line[20] != Ascii.colon, let hour = twoDigits(line, 7), let minute = twoDigits(line, 10),
            let second = twoDigits(line, 13), hour < 24, minute < 60, second < 60
        else { return false }
        let tens = line[4] == Ascii.space ? 0 : line[4] &- 0x30
        let ones = line[5] &- 0x30
        guard tens <= 2, ones < 10, tens + ones > 0, tens * 10 + ones <= 28 else { return false }
        return scanMonth(line, at: 0) != nil
    }

    private static func scanISO(_ line: Bytes, at i: Int) -> (HeaderTime, Int)? {
        guard i + 19 <= line.count, line[i + 4] == Ascii.dash,
            let scanned = ISODateTimeScanner.scan(line.part(from: i)),
            let end = endOfTime(line, i + scanned.length)
        else { return nil }
        return (HeaderTime(scanned), end)
    }

    /// `2024 Nov 22 21:31:00` (syslog-ng's `ts-format(full)`).
    private static func scanYearFirst(_ line: Bytes, at i: Int) -> (HeaderTime, Int)? {
        guard let (year, end) = scanYear(line, at: i), end < line.count, line[end] == Ascii.space else { return nil }
        return scanBSD(line, at: end + 1, year: year)
    }

    /// `1732307460` or `1732307460.123` (syslog-ng's `ts-format(unix)`): nine to eleven digits and a blank.
    private static func scanSeconds(_ line: Bytes, at i: Int) -> (HeaderTime, Int)? {
        guard let (seconds, digitsEnd) = line.number(at: i, digitCountMax: 11), digitsEnd - i >= 9 else { return nil }
        var end = digitsEnd
        let microsecond = scanFraction(line, &end)
        guard end == line.count || line[end] == Ascii.space else { return nil }
        var fields = CivilDateTime(Timestamp(seconds: Int64(seconds)))
        fields.microsecond = microsecond
        return (HeaderTime(kind: .instant, fields: fields), end)
    }

    /// `Mmm dd hh:mm:ss`: any letter case, day with or without padding, year before or after the time, fraction of
    /// any length, zone name (Cisco), colon at the end (Cisco, PIX).
    private static func scanBSD(_ line: Bytes, at start: Int, year: Int?) -> (HeaderTime, Int)? {
        // The shortest is `Nov 2 1:02:03`.
        guard start + 13 <= line.count, let month = scanMonth(line, at: start), line[start + 3] == Ascii.space
        else { return nil }
        var i = line.skippingSpaces(from: start + 4)
        guard i - start <= 6, let (day, dayEnd) = line.number(at: i, digitCountMax: 2), dayEnd < line.count,
            line[dayEnd] == Ascii.space
        else { return nil }
        i = line.skippingSpaces(from: dayEnd)
        var year = year
        if year == nil, let (value, end) = scanYear(line, at: i), end < line.count, line[end] == Ascii.space {
            year = value
            i = end + 1
        }
        var fields = CivilDateTime(year: year ?? 0, month: month, day: day)
        guard scanClock(line, &i, &fields) else { return nil }
        if year == nil, i < line.count, line[i] == Ascii.space, let (value, end) = scanYear(line, at: i + 1),
            end == line.count || line[end] == Ascii.space || line.begins(with: ": ", at: end)
        {
            year = value
            fields.year = value
            i = end
        }
        let isUTC = scanZoneName(line, &i)
        guard let end = endOfTime(line, i) else { return nil }
        // Without a year 29 February is possible.
        var check = fields
        if year == nil { check.year = 2_000 }
        guard check.isValid else { return nil }
        let kind: HeaderTime.Kind =
            if year == nil { isUTC ? .instantWithoutYear : .localWithoutYear } else { isUTC ? .instant : .local }
        return (HeaderTime(kind: kind, fields: fields), end)
    }

    /// `hh:mm:ss`, the hour also in one digit, with a fraction of any length.
    private static func scanClock(_ line: Bytes, _ i: inout Int, _ fields: inout CivilDateTime) -> Bool {
        let hourEnd = i + 1 < line.count && line[i + 1] == Ascii.colon ? i + 1 : i + 2
        guard hourEnd + 6 <= line.count, line[hourEnd] == Ascii.colon, line[hourEnd + 3] == Ascii.colon,
            let minute = twoDigits(line, hourEnd + 1), let second = twoDigits(line, hourEnd + 4)
        else { return false }
        if hourEnd == i + 2 {
            guard let hour = twoDigits(line, i) else { return false }
            fields.hour = hour
        } else {
            guard Ascii.isDigit(line[i]) else { return false }
            fields.hour = Int(line[i] &- 0x30)
        }
        fields.minute = minute
        fields.second = second
        i = hourEnd + 6
        fields.microsecond = scanFraction(line, &i)
        return true
    }

    @inline(__always)
    private static func twoDigits(_ line: Bytes, _ i: Int) -> Int? {
        let tens = line[i] &- 0x30
        let ones = line[i &+ 1] &- 0x30
        return tens < 10 && ones < 10 ? Int(tens) &* 10 &+ Int(ones) : nil
    }

    private static func scanYear(_ line: Bytes, at i: Int) -> (year: Int, end: Int)? {
        guard let (year, end) = line.number(at: i, digitCountMax: 4), (1_970...2_199).contains(year) else { return nil }
        return (year, end)
    }

    private static func scanMonth(_ line: Bytes, at i: Int) -> Int? {
        let key =
            UInt32(line[i] | 0x20) << 16 | UInt32(line[i + 1] | 0x20) << 8 | UInt32(line[i + 2] | 0x20)
        return switch key {
        case 0x6A_616E: 1
        case 0x66_6562: 2
        case 0x6D_6172: 3
        case 0x61_7072: 4
        case 0x6D_6179: 5
        case 0x6A_756E: 6
        case 0x6A_756C: 7
        case 0x61_7567: 8
        case 0x73_6570: 9
        case 0x6F_6374: 10
        case 0x6E_6F76: 11
        case 0x64_6563: 12
        default: nil
        }
    }

    /// ` UTC:` after the time, as Cisco writes it. Only with the colon, and only known names, because a program name
    /// in capitals may stand here too. True for UTC; other names are ambiguous, so the zone stays the configured one.
    private static func scanZoneName(_ line: Bytes, _ i: inout Int) -> Bool {
        guard i < line.count, line[i] == Ascii.space else { return false }
        let end = line.place(of: Ascii.colon, from: i + 1)
        guard end < line.count, end - i >= 4, end - i <= 5 else { return false }
        let name = line.part(i + 1, end)
        let isUTC = name.equals("UTC") || name.equals("GMT")
        guard isUTC || zoneNames.contains(where: { name.equals($0) }) else { return false }
        i = end
        return isUTC
    }

    private static let zoneNames: [StaticString] = [
        "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "CET", "CEST", "MET", "MEST", "EET", "EEST", "WET",
        "WEST", "BST", "IST", "JST", "KST", "SGT", "HKT", "AEST", "AEDT", "NZST", "NZDT", "MSK", "BRT",
    ]

    /// The place after the timestamp, with its colon when it has one; nil when it runs on into something else.
    private static func endOfTime(_ line: Bytes, _ i: Int) -> Int? {
        guard i < line.count else { return i }
        if line[i] == Ascii.space { return i }
        if line[i] == Ascii.colon, i + 1 == line.count || line[i + 1] == Ascii.space { return i + 1 }
        return nil
    }
}

/// Microseconds of the fraction at `i` and a step behind it; 0 and no step where there is none. Digits after the sixth
/// are cut.
func scanFraction(_ line: Bytes, _ i: inout Int) -> Int {
    guard i + 1 < line.count, line[i] == Ascii.dot || line[i] == UInt8(ascii: ","), Ascii.isDigit(line[i + 1])
    else { return 0 }
    i += 1
    var unit = 100_000
    var microseconds = 0
    while i < line.count, Ascii.isDigit(line[i]) {
        microseconds += Int(line[i] &- 0x30) * unit
        unit /= 10
        i += 1
    }
    return microseconds
}
