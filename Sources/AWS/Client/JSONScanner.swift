// Reads JSON text (RFC 8259) byte by byte, in place, without building anything. Strict where a cut or garbled answer
// would show: structure, literals, numbers, escapes, control characters in strings. The hot path of reading a stream
// stands on it, so it works on a pointer that must stay valid while the scanner is used.

/// Where JSON text stops being JSON. Never quotes the text: it may hold record content.
package struct JSONFault: Error, Equatable {
    package var offset: Int
    package var expected: String
}

/// A string as it stands between its quotes.
package struct JSONStringRange: Equatable {
    package var start: Int
    package var count: Int
    package var hasEscapes: Bool
}

package struct JSONScanner {
    /// Deeper nesting than this is refused; Kinesis answers have three levels.
    package static let depthMax = 64

    let base: UnsafePointer<UInt8>
    let end: Int
    package var position = 0

    /// `bytes` must outlive the scanner.
    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // An empty buffer may have no base address; the scanner never reads it, as `end` is 0.
        base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        end = bytes.count
    }

    package func fault(_ expected: String) -> JSONFault { JSONFault(offset: position, expected: expected) }

    @inline(__always)
    package mutating func skipSpace() {
        while position < end {
            let byte = base[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    /// The next byte that is no white space, not consumed.
    @inline(__always)
    package mutating func peek() throws(JSONFault) -> UInt8 {
        skipSpace()
        guard position < end else { throw fault("more text") }
        return base[position]
    }

    @inline(__always)
    package mutating func take(_ byte: UInt8, _ expected: StaticString) throws(JSONFault) {
        guard try peek() == byte else { throw fault("\(expected)") }
        position += 1
    }

    /// Consumes `byte` if it comes next.
    package mutating func takeIf(_ byte: UInt8) throws(JSONFault) -> Bool {
        guard try peek() == byte else { return false }
        position += 1
        return true
    }

    /// Only white space may follow the outermost value.
    package mutating func finish() throws(JSONFault) {
        skipSpace()
        guard position == end else { throw fault("the end of the text") }
    }

    /// Walks an object; `member` must consume the value. The key may hold escapes (`hasEscapes`).
    @inline(__always)
    package mutating func object(
        _ member: (inout JSONScanner, JSONStringRange) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try take(UInt8(ascii: "{"), "an object")
        if try takeIf(UInt8(ascii: "}")) { return }
        while true {
            let key = try string()
            try take(UInt8(ascii: ":"), "a colon")
            try member(&self, key)
            if try takeIf(UInt8(ascii: "}")) { return }
            try take(UInt8(ascii: ","), "a comma or the end of the object")
        }
    }

    /// Walks an array; `element` must consume the value.
    @inline(__always)
    package mutating func array(_ element: (inout JSONScanner) throws(JSONFault) -> Void) throws(JSONFault) {
        try take(UInt8(ascii: "["), "an array")
        if try takeIf(UInt8(ascii: "]")) { return }
        while true {
            try element(&self)
            if try takeIf(UInt8(ascii: "]")) { return }
            try take(UInt8(ascii: ","), "a comma or the end of the array")
        }
    }

    /// Consumes a string and says where it lies. Escapes are checked for form, not yet undone.
    package mutating func string() throws(JSONFault) -> JSONStringRange {
        try take(UInt8(ascii: "\""), "a string")
        return try restOfString()
    }

    /// The same from inside a string: after its quote or after any whole character or escape of it.
    package mutating func restOfString() throws(JSONFault) -> JSONStringRange {
        let start = position
        var hasEscapes = false
        while true {
            skipPlain()
            guard position < end else { throw fault("the end of a string") }
            switch base[position] {
            case UInt8(ascii: "\""):
                position += 1
                return JSONStringRange(start: start, count: position - 1 - start, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            default: throw fault("no control character in a string")
            }
        }
    }

    /// Moves to the next quote, backslash or control character, eight bytes at a time. In each byte lane the high bit
    /// ends up set for these three (the usual "has zero byte" and "has less" tricks; a lane above the first hit may be
    /// wrong, the first one never is).
    @inline(__always)
    private mutating func skipPlain() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var at = position
        while at + 8 <= end {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let hits =
                ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word)
                & (ones &* 0x80)
            if hits != 0 {
                position = at + hits.trailingZeroBitCount / 8
                return
            }
            at += 8
        }
        while at < end, base[at] >= 0x20, base[at] != UInt8(ascii: "\""), base[at] != UInt8(ascii: "\\") { at += 1 }
        position = at
    }

    private mutating func skipEscape() throws(JSONFault) {
        guard position + 1 < end else { throw fault("the rest of an escape") }
        switch base[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard position + 5 < end, JSONEscapes.hex4(base + position + 2) != nil else {
                throw fault("four hex digits")
            }
            position += 6
        default: throw fault("a known escape")
        }
    }

    /// True when the bytes of `range`, as they stand, equal `text`.
    @inline(__always)
    package func equals(_ range: JSONStringRange, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard range.count == count else { return false }
        let mine = UnsafeRawPointer(base + range.start)
        let other = UnsafeRawPointer(text.utf8Start)
        var i = 0
        while i + 4 <= count {
            guard
                mine.loadUnaligned(fromByteOffset: i, as: UInt32.self)
                    == other.loadUnaligned(fromByteOffset: i, as: UInt32.self)
            else { return false }
            i += 4
        }
        while i < count {
            guard mine.load(fromByteOffset: i, as: UInt8.self) == other.load(fromByteOffset: i, as: UInt8.self) else {
                return false
            }
            i += 1
        }
        return true
    }

    /// Consumes just these bytes if they come next.
    @inline(__always)
    package mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= end,
            equals(JSONStringRange(start: position, count: count, hasEscapes: false), text)
        else { return false }
        position += count
        return true
    }

    /// The text of a string with its escapes undone.
    package func text(_ range: JSONStringRange) -> String {
        let raw = UnsafeBufferPointer(start: base + range.start, count: range.count)
        guard range.hasEscapes else { return String(decoding: raw, as: UTF8.self) }
        var copy = Array(raw)
        let count = copy.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { JSONEscapes.undo($0, count: buffer.count) } ?? 0
        }
        return String(decoding: copy.prefix(count), as: UTF8.self)
    }

    /// Consumes any value.
    package mutating func skipValue(depth: Int = 0) throws(JSONFault) {
        guard depth < Self.depthMax else { throw fault("less nesting") }
        switch try peek() {
        case UInt8(ascii: "{"):
            try object { (scanner: inout JSONScanner, _) throws(JSONFault) in
                try scanner.skipValue(depth: depth + 1)
            }
        case UInt8(ascii: "["):
            try array { (scanner: inout JSONScanner) throws(JSONFault) in try scanner.skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
    }

    /// Consumes `null` if it comes next.
    package mutating func takeNull() throws(JSONFault) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    package mutating func literal(_ text: StaticString) throws(JSONFault) {
        let count = text.utf8CodeUnitCount
        guard position + count <= end, equals(JSONStringRange(start: position, count: count, hasEscapes: false), text)
        else { throw fault("true, false or null") }
        position += count
    }
}
