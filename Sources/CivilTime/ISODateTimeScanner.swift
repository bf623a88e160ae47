// Reads the ISO 8601 date-times that stand at the head of log lines and in API answers, byte by byte.
// It is lenient about spelling (letter case, separators, number of fraction digits) and strict about values:
// a date that does not exist is no date. `RFC3339` puts the strict rules on top.

/// What stood at the start of the bytes.
package struct ScannedDateTime: Sendable {
    package var fields: CivilDateTime
    /// Seconds east of UTC; nil when the text names no zone.
    package var offsetSeconds: Int?
    /// Digits of the fraction as written; digits after the sixth are cut, not rounded.
    package var fractionDigitCount: Int
    /// True when the fraction mark is `.` and the offset has its `:`, as RFC 3339 wants.
    package var isPlainRFC3339: Bool
    /// Bytes that the date-time takes.
    package var length: Int

    /// The instant; nil when the text names no zone.
    package var instant: Timestamp? {
        guard let offsetSeconds else { return nil }
        return Timestamp(microseconds: fields.timestampAsUTC.microseconds - Int64(offsetSeconds) * 1_000_000)
    }
}

package enum ISODateTimeScanner {
    /// Reads `YYYY-MM-DD`, then `T`, `t` or one space, `HH:MM:SS`, an optional fraction after `.` or `,` of any
    /// length, and an optional zone `Z`, `z`, `±HH:MM` or `±HHMM`. Bytes after that are not looked at.
    package static func scan(_ bytes: UnsafeRawBufferPointer) -> ScannedDateTime? {
        guard bytes.count >= 19, let date = scanDate(bytes) else { return nil }
        let separator = bytes[10]
        guard separator == UInt8(ascii: "T") || separator == UInt8(ascii: "t") || separator == UInt8(ascii: " "),
            let hour = twoDigits(bytes, 11), bytes[13] == UInt8(ascii: ":"),
            let minute = twoDigits(bytes, 14), bytes[16] == UInt8(ascii: ":"),
            let second = twoDigits(bytes, 17)
        else { return nil }
        var fields = date
        fields.hour = hour
        fields.minute = minute
        fields.second = second
        var scanned = ScannedDateTime(
            fields: fields, offsetSeconds: nil, fractionDigitCount: 0,
            isPlainRFC3339: true, length: 19)
        guard scanFraction(bytes, into: &scanned) else { return nil }
        scanZone(bytes, into: &scanned)
        return scanned.fields.isValid ? scanned : nil
    }

    /// `YYYY-MM-DD` at the start.
    package static func scanDate(_ bytes: UnsafeRawBufferPointer) -> CivilDateTime? {
        guard bytes.count >= 10, let century = twoDigits(bytes, 0), let year = twoDigits(bytes, 2),
            bytes[4] == UInt8(ascii: "-"), let month = twoDigits(bytes, 5),
            bytes[7] == UInt8(ascii: "-"), let day = twoDigits(bytes, 8)
        else { return nil }
        let date = CivilDateTime(year: century * 100 + year, month: month, day: day)
        return date.isValid ? date : nil
    }

    /// False when a fraction mark has no digit behind it.
    private static func scanFraction(_ bytes: UnsafeRawBufferPointer, into scanned: inout ScannedDateTime) -> Bool {
        var i = scanned.length
        guard i < bytes.count, bytes[i] == UInt8(ascii: ".") || bytes[i] == UInt8(ascii: ",") else { return true }
        // A full stop or comma that ends the date-time in running text is no fraction mark.
        guard i + 1 < bytes.count, isDigit(bytes[i + 1]) else { return false }
        if bytes[i] == UInt8(ascii: ",") { scanned.isPlainRFC3339 = false }
        i += 1
        var unit = 100_000
        while i < bytes.count, isDigit(bytes[i]) {
            scanned.fields.microsecond += Int(bytes[i] &- 0x30) * unit
            unit /= 10
            scanned.fractionDigitCount += 1
            i += 1
        }
        scanned.length = i
        return true
    }

    private static func scanZone(_ bytes: UnsafeRawBufferPointer, into scanned: inout ScannedDateTime) {
        let i = scanned.length
        guard i < bytes.count else { return }
        switch bytes[i] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            scanned.offsetSeconds = 0
            scanned.length = i + 1
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard i + 5 <= bytes.count, let hours = twoDigits(bytes, i + 1), hours <= 23 else { return }
            let hasColon = bytes[i + 3] == UInt8(ascii: ":")
            let minuteIndex = hasColon ? i + 4 : i + 3
            guard minuteIndex + 2 <= bytes.count, let minutes = twoDigits(bytes, minuteIndex), minutes <= 59 else {
                return
            }
            if !hasColon { scanned.isPlainRFC3339 = false }
            let east = hours * 3_600 + minutes * 60
            scanned.offsetSeconds = bytes[i] == UInt8(ascii: "+") ? east : -east
            scanned.length = minuteIndex + 2
        default:
            return
        }
    }
}

func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

/// The value of two decimal digits at `i`, which must lie inside the bytes.
func twoDigits(_ bytes: UnsafeRawBufferPointer, _ i: Int) -> Int? {
    guard i + 2 <= bytes.count, isDigit(bytes[i]), isDigit(bytes[i + 1]) else { return nil }
    return Int(bytes[i] &- 0x30) * 10 + Int(bytes[i + 1] &- 0x30)
}
