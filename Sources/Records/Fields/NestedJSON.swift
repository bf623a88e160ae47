// JSON that a record brings for `structured_data` is put into the row as it stands. Its grammar was checked when it was
// scanned; here it is asked whether a database can parse what its escapes stand for.

/// True when no escape in the text stands for U+0000, for half of a surrogate pair, or for a noncharacter: JSON_PARSE
/// would refuse the whole of it.
func isParsableJSON(_ text: Bytes) -> Bool {
    var i = text.place(of: Ascii.backslash, from: 0)
    while i + 1 < text.count {
        guard text[i + 1] == UInt8(ascii: "u") else {
            i = text.place(of: Ascii.backslash, from: i + 2)
            continue
        }
        guard let first = escapedUnit(text, at: i) else { return false }
        i += 6
        switch first {
        case 0, 0xFDD0...0xFDEF, 0xFFFE, 0xFFFF, 0xDC00...0xDFFF: return false
        case 0xD800...0xDBFF:
            guard text.begins(with: "\\u", at: i), let second = escapedUnit(text, at: i), 0xDC00...0xDFFF ~= second
            else { return false }
            i += 6
        default: break
        }
        i = text.place(of: Ascii.backslash, from: i)
    }
    return true
}

/// The four hexadecimal digits after the `\u` at `place`.
private func escapedUnit(_ text: Bytes, at place: Int) -> UInt32? {
    guard place + 6 <= text.count else { return nil }
    var value: UInt32 = 0
    for byte in text.part(place + 2, place + 6) {
        guard Ascii.isHexDigit(byte) else { return nil }
        value = value << 4 | UInt32(Ascii.isDigit(byte) ? byte - 0x30 : (byte | 0x20) - 0x57)
    }
    return value
}
