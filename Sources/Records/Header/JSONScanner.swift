// A scanner for one JSON object (RFC 8259) over bytes. Strings without escapes are slices of the line; others are
// decoded into an arena that is used again for every line. Nested values are checked and
// skipped, not built.

/// A value as the parser of JSON records needs it.
enum JSONValue {
    /// Decoded; not checked for UTF-8.
    case string(Bytes)
    case number(Bytes)
    case boolean(Bytes)
    case null
    /// The text of an object or array.
    case nested(Bytes)
}

/// Reads one object from the start of its text.
struct JSONScanner {
    /// Deepest nesting that is skipped; deeper objects are no records but attacks.
    static let depthMax = 32

    let text: Bytes
    let arena: StringArena
    private(set) var place: Int

    init(_ text: Bytes, arena: StringArena) {
        self.text = text
        self.arena = arena
        place = 0
        arena.reset(for: text.count)
    }

    /// Reads the object that starts here and reports its members in order. False when it is no JSON object.
    mutating func scanObject(_ member: (_ key: Bytes, _ value: JSONValue) -> Void) -> Bool {
        guard take(Ascii.openBrace) else { return false }
        skipBlanks()
        if take(Ascii.closeBrace) { return true }
        while true {
            skipBlanks()
            guard take(Ascii.quote), let key = scanString() else { return false }
            skipBlanks()
            guard take(Ascii.colon) else { return false }
            skipBlanks()
            guard let value = scanValue() else { return false }
            member(key, value)
            skipBlanks()
            if take(Ascii.closeBrace) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    private mutating func scanValue() -> JSONValue? {
        guard place < text.count else { return nil }
        let start = place
        switch text[place] {
        case Ascii.quote:
            place += 1
            return scanString().map { .string($0) }
        case Ascii.openBrace, Ascii.openBracket:
            return skipNested() ? .nested(text.part(start, place)) : nil
        case UInt8(ascii: "t"):
            return takeWord("true") ? .boolean(text.part(start, place)) : nil
        case UInt8(ascii: "f"):
            return takeWord("false") ? .boolean(text.part(start, place)) : nil
        case UInt8(ascii: "n"):
            return takeWord("null") ? .null : nil
        default:
            return skipNumber() ? .number(text.part(start, place)) : nil
        }
    }

    /// The string whose opening quote was taken.
    private mutating func scanString() -> Bytes? {
        let start = place
        guard let end = skipString() else { return nil }
        let raw = text.part(start, end)
        let firstEscape = raw.place(of: Ascii.backslash, from: 0)
        return firstEscape == raw.count ? raw : decode(raw, firstEscape)
    }

    /// The place of the closing quote; the scanner stands after it. A line feed inside a string is no JSON, which
    /// keeps a broken line from swallowing the lines after it.
    private mutating func skipString() -> Int? {
        while place < text.count {
            let byte = text[place]
            if byte == Ascii.quote {
                place += 1
                return place - 1
            }
            if byte == Ascii.lineFeed { return nil }
            place += byte == Ascii.backslash ? 2 : 1
        }
        return nil
    }

    private func decode(_ raw: Bytes, _ firstEscape: Int) -> Bytes? {
        let start = arena.count
        var runStart = 0
        var i = firstEscape
        while i < raw.count {
            arena.append(raw.part(runStart, i))
            guard i + 1 < raw.count else { return nil }
            let letter = raw[i + 1]
            i += 2
            switch letter {
            case Ascii.quote, Ascii.backslash, Ascii.slash: arena.append(scalar: UInt32(letter))
            case UInt8(ascii: "b"): arena.append(scalar: 8)
            case UInt8(ascii: "f"): arena.append(scalar: 12)
            case UInt8(ascii: "n"): arena.append(scalar: 10)
            case UInt8(ascii: "r"): arena.append(scalar: 13)
            case UInt8(ascii: "t"): arena.append(scalar: 9)
            case UInt8(ascii: "u"):
                guard let scalar = decodeScalar(raw, &i) else { return nil }
                arena.append(scalar: scalar)
            default: return nil
            }
            runStart = i
            i = raw.place(of: Ascii.backslash, from: i)
        }
        arena.append(raw.part(from: runStart))
        return arena.bytes(from: start)
    }

    /// The scalar after `\u`; half of a surrogate pair becomes U+FFFD (section 8.2 leaves it open).
    private func decodeScalar(_ raw: Bytes, _ i: inout Int) -> UInt32? {
        guard let first = hexNumber(raw, i) else { return nil }
        i += 4
        guard 0xD800...0xDFFF ~= first else { return first }
        guard first < 0xDC00, raw.begins(with: "\\u", at: i), let second = hexNumber(raw, i + 2),
            0xDC00...0xDFFF ~= second
        else { return 0xFFFD }
        i += 6
        return 0x1_0000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private func hexNumber(_ raw: Bytes, _ i: Int) -> UInt32? {
        guard i + 4 <= raw.count else { return nil }
        var value: UInt32 = 0
        for byte in raw.part(i, i + 4) {
            guard Ascii.isHexDigit(byte) else { return nil }
            value = value << 4 | UInt32(Ascii.isDigit(byte) ? byte - 0x30 : (byte | 0x20) - 0x57)
        }
        return value
    }

    /// Skips an object or array, which must be JSON throughout: a column may hold its text.
    private mutating func skipNested(depth: Int = 1) -> Bool {
        guard depth <= Self.depthMax else { return false }
        let isObject = text[place] == Ascii.openBrace
        let closer = isObject ? Ascii.closeBrace : Ascii.closeBracket
        place += 1
        skipBlanks()
        if take(closer) { return true }
        while true {
            skipBlanks()
            if isObject {
                guard take(Ascii.quote), skipStrictString() else { return false }
                skipBlanks()
                guard take(Ascii.colon) else { return false }
                skipBlanks()
            }
            guard skipValue(depth: depth) else { return false }
            skipBlanks()
            if take(closer) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    private mutating func skipValue(depth: Int) -> Bool {
        guard place < text.count else { return false }
        switch text[place] {
        case Ascii.quote:
            place += 1
            return skipStrictString()
        case Ascii.openBrace, Ascii.openBracket: return skipNested(depth: depth + 1)
        case UInt8(ascii: "t"): return takeWord("true")
        case UInt8(ascii: "f"): return takeWord("false")
        case UInt8(ascii: "n"): return takeWord("null")
        default: return skipNumber()
        }
    }

    /// The string whose opening quote was taken, without control characters and with proper escapes only.
    private mutating func skipStrictString() -> Bool {
        while place < text.count {
            let byte = text[place]
            place += 1
            if byte == Ascii.quote { return true }
            guard byte >= 0x20 else { return false }
            guard byte == Ascii.backslash else { continue }
            guard place < text.count else { return false }
            let letter = text[place]
            place += 1
            if letter == UInt8(ascii: "u") {
                guard hexNumber(text, place) != nil else { return false }
                place += 4
            } else if !"\"\\/bfnrt".utf8.contains(letter) {
                return false
            }
        }
        return false
    }

    /// `-`, digits without a leading zero, fraction, exponent (RFC 8259 section 6).
    private mutating func skipNumber() -> Bool {
        _ = take(Ascii.dash)
        let start = place
        guard skipDigits(), text[start] != UInt8(ascii: "0") || place == start + 1 else { return false }
        if take(Ascii.dot), !skipDigits() { return false }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            _ = take(UInt8(ascii: "+")) || take(Ascii.dash)
            return skipDigits()
        }
        return true
    }

    private mutating func skipDigits() -> Bool {
        let start = place
        while place < text.count, Ascii.isDigit(text[place]) { place += 1 }
        return place > start
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard place < text.count, text[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        guard text.begins(with: word, at: place) else { return false }
        place += word.utf8CodeUnitCount
        return true
    }

    private mutating func skipBlanks() {
        while place < text.count, isBlank(text[place]) { place += 1 }
    }

    private func isBlank(_ byte: UInt8) -> Bool {
        byte == Ascii.space || byte == Ascii.lineFeed || byte == Ascii.carriageReturn || byte == 9
    }
}
