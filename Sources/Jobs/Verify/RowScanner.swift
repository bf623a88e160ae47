// Reads one row: a flat JSON object of text and whole numbers, written without white space, keys in the order of the
// columns (RFC 8259). It shares no code with the writer of rows.

/// What is wrong with a row. It never quotes the row.
struct RowFault: Error, Equatable {
    var detail: String
    init(_ detail: String) { self.detail = detail }
}

/// A value as it stands in the row.
struct RowValue {
    /// The bytes between the quotes, escapes and all, or the digits of a number.
    var bytes: UnsafeRawBufferPointer
    /// Bytes of UTF-8 once escapes are undone.
    var width = 0
    var number: Int64?
}

struct RowScanner {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    /// - Parameter bytes: without the line feed; must outlive the scanner.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Calls `member` for each member in order.
    mutating func scan(_ member: (UnsafeRawBufferPointer, RowValue) throws(RowFault) -> Void) throws(RowFault) {
        try take(UInt8(ascii: "{"))
        while true {
            let key = try text()
            try take(UInt8(ascii: ":"))
            try member(key.bytes, try value())
            guard position < bytes.count else { throw RowFault("the row is cut off") }
            if bytes[position] == UInt8(ascii: "}") { break }
            try take(UInt8(ascii: ","))
        }
        position += 1
        guard position == bytes.count else { throw RowFault("something follows the object") }
    }

    private mutating func take(_ byte: UInt8) throws(RowFault) {
        guard position < bytes.count, bytes[position] == byte else {
            throw RowFault("it is no JSON object as sluice writes it (byte \(position))")
        }
        position += 1
    }

    private mutating func value() throws(RowFault) -> RowValue {
        guard position < bytes.count else { throw RowFault("the row is cut off") }
        if bytes[position] == UInt8(ascii: "\"") { return try text() }
        return try number()
    }

    private mutating func number() throws(RowFault) -> RowValue {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let digits = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        let found = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        let hasLeadingZero = position - digits > 1 && bytes[digits] == 0x30
        guard position > digits, !hasLeadingZero, let number = Int64(String(decoding: found, as: UTF8.self)) else {
            throw RowFault("byte \(start) begins neither text nor a whole number")
        }
        return RowValue(bytes: found, width: 0, number: number)
    }

    private mutating func text() throws(RowFault) -> RowValue {
        try take(UInt8(ascii: "\""))
        let start = position
        var saved = 0
        while true {
            guard position < bytes.count else { throw RowFault("the row is cut off") }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") { break }
            if byte < 0x20 { throw RowFault("there is a control character in a text (byte \(position))") }
            if byte == UInt8(ascii: "\\") { saved += try escape() } else { position += 1 }
        }
        let found = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        position += 1
        return RowValue(bytes: found, width: found.count - saved)
    }

    /// Passes over one escape.
    /// - Returns: how many bytes it is longer than the UTF-8 that it stands for.
    private mutating func escape() throws(RowFault) -> Int {
        guard position + 1 < bytes.count else { throw RowFault("the row is cut off") }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
            return 1
        case UInt8(ascii: "u"):
            let unit = try hexUnit(position + 2)
            position += 6
            guard unit != 0 else { throw RowFault("there is a U+0000 in a text") }
            if (0xD800..<0xDC00).contains(unit) {
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u"),
                    (0xDC00..<0xE000).contains(try hexUnit(position + 2))
                else { throw RowFault("there is half a surrogate pair in a text") }
                position += 6
                return 12 - 4
            }
            guard !(0xDC00..<0xE000).contains(unit) else { throw RowFault("there is half a surrogate pair in a text") }
            return 6 - (unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3)
        default: throw RowFault("there is an unknown escape in a text (byte \(position))")
        }
    }

    private func hexUnit(_ at: Int) throws(RowFault) -> UInt32 {
        guard at + 4 <= bytes.count else { throw RowFault("the row is cut off") }
        var value: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x61 + 10)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x41 + 10)
            default: throw RowFault("there is a broken escape in a text")
            }
        }
        return value
    }
}
