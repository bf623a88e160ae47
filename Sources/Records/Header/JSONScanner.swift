// A scanner for one JSON object (RFC 8259) over bytes. Strings without escapes are slices of the line; others are
// decoded into an arena that is used again for every line. Nested values are skipped, not built.

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

/// Room for decoded strings. A decoded string is never longer than its text, so one line never needs more than its
/// own length.
final class StringArena {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    fileprivate var count = 0

    /// More than this is given back after the line that needed it.
    private static let keptByteCountMax = 1 << 20

    init(capacity: Int = 4_096) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 1)
    }

    deinit { base.deallocate() }

    /// Forgets all strings and makes room for those of a line of `byteCount` bytes.
    func reset(for byteCount: Int) {
        count = 0
        let isOversized = capacity > Self.keptByteCountMax && byteCount <= Self.keptByteCountMax
        guard byteCount > capacity || isOversized else { return }
        base.deallocate()
        capacity = isOversized ? Self.keptByteCountMax : max(byteCount, capacity * 2)
        base = .allocate(byteCount: capacity, alignment: 1)
    }

    fileprivate func append(_ bytes: Bytes) {
        guard let start = bytes.baseAddress else { return }
        precondition(count + bytes.count <= capacity, "a decoded string is longer than its text")
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    fileprivate func append(scalar: UInt32) {
        withUnsafeTemporaryAllocation(byteCount: 4, alignment: 1) { room in
            var length = 0
            func put(_ byte: UInt32) {
                room[length] = UInt8(truncatingIfNeeded: byte)
                length += 1
            }
            switch scalar {
            case ..<0x80: put(scalar)
            case ..<0x800:
                put(0xC0 | scalar >> 6)
                put(0x80 | scalar & 63)
            case ..<0x1_0000:
                put(0xE0 | scalar >> 12)
                put(0x80 | scalar >> 6 & 63)
                put(0x80 | scalar & 63)
            default:
                put(0xF0 | scalar >> 18)
                put(0x80 | scalar >> 12 & 63)
                put(0x80 | scalar >> 6 & 63)
                put(0x80 | scalar & 63)
            }
            append(Bytes(rebasing: Bytes(room)[..<length]))
        }
    }

    fileprivate func bytes(from start: Int) -> Bytes { Bytes(start: base + start, count: count - start) }
}

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

    /// Skips an object or array: brackets must match, strings must end; its inside is not checked further.
    private mutating func skipNested() -> Bool {
        var depth = 0
        var closers: UInt64 = 0
        while place < text.count {
            let byte = text[place]
            place += 1
            switch byte {
            case Ascii.quote:
                guard skipString() != nil else { return false }
            case Ascii.openBrace, Ascii.openBracket:
                guard depth < Self.depthMax else { return false }
                depth += 1
                closers = closers << 1 | (byte == Ascii.openBrace ? 1 : 0)
            case Ascii.closeBrace, Ascii.closeBracket:
                guard closers & 1 == (byte == Ascii.closeBrace ? 1 : 0) else { return false }
                closers >>= 1
                depth -= 1
                if depth == 0 { return true }
            default:
                continue
            }
        }
        return false
    }

    private mutating func skipNumber() -> Bool {
        let start = place
        while place < text.count {
            let byte = text[place]
            guard
                Ascii.isDigit(byte) || byte == Ascii.dash || byte == Ascii.dot || byte == UInt8(ascii: "+")
                    || byte | 0x20 == UInt8(ascii: "e")
            else { break }
            place += 1
        }
        return place > start && Ascii.isDigit(text[place - 1])
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
        while place < text.count, text[place] == Ascii.space || (text[place] >= 9 && text[place] <= 13) { place += 1 }
    }
}
