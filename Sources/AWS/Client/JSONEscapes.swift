/// Undoing the escapes of a JSON string in place: the result is never longer than what it comes from.
enum JSONEscapes {
    /// Undoes the escapes in `count` bytes at `bytes`; the forms must have been checked by `JSONScanner.string()`.
    /// A surrogate without its other half becomes U+FFFD. Gives the new length.
    static func undo(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) -> Int {
        var from = 0
        var to = 0
        while from < count {
            let byte = bytes[from]
            guard byte == UInt8(ascii: "\\"), from + 1 < count else {
                bytes[to] = byte
                to += 1
                from += 1
                continue
            }
            if bytes[from + 1] == UInt8(ascii: "u") {
                let (scalar, length) = scalar(UnsafePointer(bytes + from), count: count - from)
                for unit in UTF8.encode(scalar).unsafelyUnwrapped {
                    bytes[to] = unit
                    to += 1
                }
                from += length
            } else {
                bytes[to] = simple(bytes[from + 1])
                to += 1
                from += 2
            }
        }
        return to
    }

    /// The value of four hex digits.
    static func hex4(_ digits: UnsafePointer<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        for i in 0..<4 {
            let digit = digits[i]
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }

    private static func scalar(_ bytes: UnsafePointer<UInt8>, count: Int) -> (Unicode.Scalar, Int) {
        let replacement = Unicode.Scalar(0xFFFD as UInt16).unsafelyUnwrapped
        guard count >= 6, let high = hex4(bytes + 2) else { return (replacement, min(count, 6)) }
        if (0xD800..<0xDC00).contains(high), count >= 12, bytes[6] == UInt8(ascii: "\\"), bytes[7] == UInt8(ascii: "u"),
            let low = hex4(bytes + 8), (0xDC00..<0xE000).contains(low)
        {
            let value = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
            return (Unicode.Scalar(value) ?? replacement, 12)
        }
        return (Unicode.Scalar(high) ?? replacement, 6)
    }

    private static func simple(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }
}
