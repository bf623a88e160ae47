// The date format of HTTP header fields (RFC 9110 section 5.6.7), read for the server's clock.

package enum HTTPDate {
    /// Reads an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`. The obsolete forms are not read: no AWS service sends
    /// them. The name of the weekday is not checked against the date.
    package static func parse(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        guard bytes.count == 29, bytes[3] == UInt8(ascii: ","), bytes[4] == UInt8(ascii: " "),
            let day = twoDigits(bytes, 5), bytes[7] == UInt8(ascii: " "),
            let month = months.firstIndex(where: { $0.elementsEqual(bytes[8..<11]) }),
            bytes[11] == UInt8(ascii: " "), let century = twoDigits(bytes, 12), let year = twoDigits(bytes, 14),
            bytes[16] == UInt8(ascii: " "), let hour = twoDigits(bytes, 17), bytes[19] == UInt8(ascii: ":"),
            let minute = twoDigits(bytes, 20), bytes[22] == UInt8(ascii: ":"), let second = twoDigits(bytes, 23),
            " GMT".utf8.elementsEqual(bytes[25..<29])
        else { return nil }
        let fields = CivilDateTime(
            year: century * 100 + year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
        return fields.isValid ? fields.timestampAsUTC : nil
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .map { Array($0.utf8) }
}
