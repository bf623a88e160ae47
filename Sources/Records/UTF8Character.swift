// One UTF-8 sequence at a time, well-formed by Unicode 16 table 3-7: no overlong forms, no surrogates, nothing above
// U+10FFFF. Also the copy of a short text with the row's rules applied, for values that are needed outside the row.

/// The sequence at a place whose first byte is not ASCII.
struct UTF8Character {
    /// Bytes of the character, or of the maximal ill-formed part.
    var length: Int
    /// False for ill-formed bytes and for the noncharacters that a row may not hold.
    var isValid: Bool

    static let ascii = UTF8Character(length: 1, isValid: true)

    private init(length: Int, isValid: Bool) {
        self.length = length
        self.isValid = isValid
    }

    @inline(__always)
    init(at s: UnsafeRawPointer, end: UnsafeRawPointer) {
        let first = s.load(as: UInt8.self)
        let left = end - s
        if first >= 0xC2, first <= 0xDF {
            isValid = left >= 2 && UTF8Character.isTail(s, 1)
            length = isValid ? 2 : 1
            return
        }
        (length, isValid) = UTF8Character.long(s, left, first)
    }

    private static func long(_ s: UnsafeRawPointer, _ left: Int, _ first: UInt8) -> (Int, Bool) {
        let secondRange: ClosedRange<UInt8>
        switch first {
        case 0xE0: secondRange = 0xA0...0xBF
        case 0xE1...0xEC, 0xEE...0xEF: secondRange = 0x80...0xBF
        case 0xED: secondRange = 0x80...0x9F
        case 0xF0: secondRange = 0x90...0xBF
        case 0xF1...0xF3: secondRange = 0x80...0xBF
        case 0xF4: secondRange = 0x80...0x8F
        default: return (1, false)
        }
        guard left >= 2 else { return (1, false) }
        let second = s.load(fromByteOffset: 1, as: UInt8.self)
        guard secondRange.contains(second) else { return (1, false) }
        guard left >= 3, isTail(s, 2) else { return (2, false) }
        if first < 0xF0 {
            let third = s.load(fromByteOffset: 2, as: UInt8.self)
            // U+FDD0...U+FDEF and U+FFFE, U+FFFF.
            let isNoncharacter =
                first == 0xEF
                && ((second == 0xB7 && (0x90...0xAF).contains(third)) || (second == 0xBF && third >= 0xBE))
            return (3, !isNoncharacter)
        }
        guard left >= 4, isTail(s, 3) else { return (3, false) }
        return (4, true)
    }

    @inline(__always)
    private static func isTail(_ s: UnsafeRawPointer, _ i: Int) -> Bool {
        s.load(fromByteOffset: i, as: UInt8.self) & 0xC0 == 0x80
    }
}

/// True when the bytes can stand in a row as they are: valid UTF-8 without U+0000 and noncharacters.
func isStorable(_ text: Bytes) -> Bool {
    guard var s = text.baseAddress else { return true }
    let end = s + text.count
    while s < end {
        if end - s >= 8 {
            let word = s.loadUnaligned(as: UInt64.self)
            let tops: UInt64 = 0x8080_8080_8080_8080
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word
            if (word | zeros) & tops == 0 {
                s += 8
                continue
            }
        }
        let byte = s.load(as: UInt8.self)
        if byte == 0 { return false }
        if byte < 0x80 {
            s += 1
            continue
        }
        let character = UTF8Character(at: s, end: end)
        guard character.isValid else { return false }
        s += character.length
    }
    return true
}

/// A value that the row and its facts share: checked and cut once, so that both say the same.
final class CleanText {
    private let copy: UnsafeMutableRawPointer
    private let byteCountMax: Int
    private(set) var outcome: TextOutcome = []

    init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
        copy = .allocate(byteCount: byteCountMax, alignment: 1)
    }

    deinit { copy.deallocate() }

    /// `text` itself when it is storable and short enough, else a copy that is; valid until the next call.
    func clean(_ text: Bytes) -> Bytes {
        outcome = []
        if text.count <= byteCountMax, isStorable(text) { return text }
        guard var s = text.baseAddress else { return .none }
        let end = s + text.count
        var length = 0
        while s < end {
            let byte = s.load(as: UInt8.self)
            var character = UTF8Character.ascii
            if byte >= 0x80 { character = UTF8Character(at: s, end: end) }
            if byte == 0 { character.isValid = false }
            if !character.isValid { outcome.insert(.replaced) }
            guard length + (character.isValid ? character.length : 3) <= byteCountMax else {
                outcome.insert(.cut)
                break
            }
            if character.isValid {
                (copy + length).copyMemory(from: s, byteCount: character.length)
                length += character.length
            } else {
                copy.storeBytes(of: 0xEF, toByteOffset: length, as: UInt8.self)
                copy.storeBytes(of: 0xBF, toByteOffset: length + 1, as: UInt8.self)
                copy.storeBytes(of: 0xBD, toByteOffset: length + 2, as: UInt8.self)
                length += 3
            }
            s += character.length
        }
        return Bytes(start: copy, count: length)
    }
}
