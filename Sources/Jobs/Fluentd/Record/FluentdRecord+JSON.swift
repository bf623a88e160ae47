// The inside of JSON strings as the oj generator writes it in compat mode: quote, backslash and the controls below
// 0x20 are escaped (hexadecimal digits in lower case), everything else goes through as it is, also bytes that are no
// UTF-8.

extension [UInt8] {
    @inline(__always)
    mutating func append(text: StaticString) {
        append(contentsOf: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func appendEscaped(_ text: UnsafeRawBufferPointer) {
        guard var from = text.baseAddress else { return }
        let end = from + text.count
        while from < end {
            let next = firstEscaped(from, end)
            append(contentsOf: UnsafeRawBufferPointer(start: from, count: next - from))
            guard next < end else { return }
            appendEscape(next.load(as: UInt8.self))
            from = next + 1
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        default:
            append(text: "u00")
            let low = byte & 15
            append(0x30 + byte >> 4)
            append(low < 10 ? 0x30 + low : 0x57 + low)
        }
    }
}

/// The first byte that is escaped, or `end`.
@inline(__always)
private func firstEscaped(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) -> UnsafeRawPointer {
    var at = start
    while end - at >= 8 {
        let marks = escapedBytes(at.loadUnaligned(as: UInt64.self).littleEndian)
        if marks != 0 { return at + marks.trailingZeroBitCount >> 3 }
        at += 8
    }
    while at < end {
        let byte = at.load(as: UInt8.self)
        if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return at }
        at += 1
    }
    return end
}

/// Bit 7 of each byte that is below 0x20, a quote or a backslash. A borrow can only mark bytes after (above) the first
/// of them wrongly, never before.
@inline(__always)
private func escapedBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quotes = word ^ ones &* UInt64(UInt8(ascii: "\""))
    let backslashes = word ^ ones &* UInt64(UInt8(ascii: "\\"))
    let controls = (word &- ones &* 0x20) & ~word
    return (controls | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)) & 0x8080_8080_8080_8080
}
