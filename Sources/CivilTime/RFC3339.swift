// RFC 3339 date-times, in and out. Reading is for API answers, command lines and job files; log lines go through
// `ISODateTimeScanner`, which forgives more.

package enum RFC3339 {
    /// The most bytes `write` produces: `9999-12-31T23:59:59.999999Z`.
    package static let byteCountMax = 27

    /// Reads `2024-11-22T20:31:00Z`, with 1 to 9 fraction digits (cut to microseconds) and `±HH:MM`; letter case is
    /// free and a space may stand for the `T` (section 5.6). `YYYY-MM-DD` alone is midnight UTC.
    package static func parse(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        if bytes.count == 10 { return ISODateTimeScanner.scanDate(bytes)?.timestampAsUTC }
        guard let scanned = ISODateTimeScanner.scan(bytes), scanned.length == bytes.count,
            scanned.isPlainRFC3339, scanned.fractionDigitCount <= 9
        else { return nil }
        return scanned.instant
    }

    package static func parse(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }

    /// Writes the instant as UTC at `to`, which must have room for `byteCountMax` bytes, and returns the length.
    /// Three fraction digits when they say it all, six when needed, none for a whole second. What RFC
    /// 3339 cannot say is clamped.
    package static func write(_ instant: Timestamp, to: UnsafeMutableRawPointer) -> Int {
        let instant = clamp(instant)
        let fields = CivilDateTime(instant)
        putTwoDigits(fields.year / 100, to, 0)
        putTwoDigits(fields.year % 100, to, 2)
        put("-", to, 4)
        putTwoDigits(fields.month, to, 5)
        put("-", to, 7)
        putTwoDigits(fields.day, to, 8)
        put("T", to, 10)
        putTwoDigits(fields.hour, to, 11)
        put(":", to, 13)
        putTwoDigits(fields.minute, to, 14)
        put(":", to, 16)
        putTwoDigits(fields.second, to, 17)
        var length = 19
        if fields.microsecond != 0 {
            put(".", to, 19)
            let isWholeMilliseconds = fields.microsecond % 1_000 == 0
            var rest = isWholeMilliseconds ? fields.microsecond / 1_000 : fields.microsecond
            let digitCount = isWholeMilliseconds ? 3 : 6
            for i in stride(from: 19 + digitCount, to: 19, by: -1) {
                to.storeBytes(of: UInt8(0x30 + rest % 10), toByteOffset: i, as: UInt8.self)
                rest /= 10
            }
            length = 20 + digitCount
        }
        put("Z", to, length)
        return length + 1
    }

    /// The instant, or the nearest one that RFC 3339 can say: years 0000 to 9999.
    package static func clamp(_ instant: Timestamp) -> Timestamp { min(max(instant, earliest), latest) }

    package static func append(_ instant: Timestamp, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: byteCountMax, alignment: 1) { room in
            guard let base = room.baseAddress else { return }
            let length = write(instant, to: base)
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: base, count: length))
        }
    }

    package static func text(_ instant: Timestamp) -> String {
        var bytes: [UInt8] = []
        append(instant, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let earliest = CivilDateTime(year: 0, month: 1, day: 1).timestampAsUTC
    private static let latest = CivilDateTime(
        year: 9_999, month: 12, day: 31, hour: 23, minute: 59, second: 59, microsecond: 999_999
    ).timestampAsUTC

    private static func put(_ character: Unicode.Scalar, _ to: UnsafeMutableRawPointer, _ i: Int) {
        to.storeBytes(of: UInt8(ascii: character), toByteOffset: i, as: UInt8.self)
    }

    private static func putTwoDigits(_ value: Int, _ to: UnsafeMutableRawPointer, _ i: Int) {
        to.storeBytes(of: UInt8(0x30 + value / 10), toByteOffset: i, as: UInt8.self)
        to.storeBytes(of: UInt8(0x30 + value % 10), toByteOffset: i + 1, as: UInt8.self)
    }
}
