// The inner loop of the row writer: from bytes of unknown quality to the inside of a JSON string.
// What comes out is always valid UTF-8, never longer (before escaping) than the room given, and cut between
// characters only.

/// Copies `from..<end` to `to`, which must have room for six bytes for each byte of text and 16 more.
/// Bytes that are no UTF-8 become one U+FFFD for each maximal ill-formed part (Unicode 16, section 3.9), as do
/// U+0000, U+FDD0...U+FDEF, U+FFFE and U+FFFF, which Redshift refuses.
func escape(
    from: UnsafeRawPointer, end: UnsafeRawPointer, room: Int, to: inout UnsafeMutableRawPointer
) -> TextOutcome {
    var s = from
    var d = to
    var room = room
    var outcome: TextOutcome = []
    defer { to = d }
    while s < end {
        let runEnd = room < end - s ? s + room : end
        let runStart = s
        s = copyPlainRun(s, runEnd, &d)
        room &-= s - runStart
        if s == runEnd {
            if s < end { outcome.insert(.cut) }
            return outcome
        }
        let byte = s.load(as: UInt8.self)
        if byte < 0x80 {
            if byte == 0 {
                guard room >= 3 else { return outcome.union([.cut, .replaced]) }
                putReplacement(&d)
                outcome.insert(.replaced)
                room &-= 3
            } else {
                putEscape(byte, &d)
                room &-= 1
            }
            s += 1
            continue
        }
        // A run of characters beyond ASCII: they come in words.
        repeat {
            let character = UTF8Character(at: s, end: end)
            guard character.isValid else {
                guard room >= 3 else { return outcome.union([.cut, .replaced]) }
                putReplacement(&d)
                outcome.insert(.replaced)
                room &-= 3
                s += character.length
                continue
            }
            guard room >= character.length else {
                outcome.insert(.cut)
                return outcome
            }
            for i in 0..<character.length {
                d.storeBytes(of: s.load(fromByteOffset: i, as: UInt8.self), toByteOffset: i, as: UInt8.self)
            }
            d += character.length
            room &-= character.length
            s += character.length
        } while s < end && s.load(as: UInt8.self) >= 0x80
    }
    return outcome
}

/// Copies up to the first byte that is not plain ASCII text, a quote or a backslash, and returns its place.
@inline(__always)
private func copyPlainRun(
    _ from: UnsafeRawPointer, _ end: UnsafeRawPointer, _ d: inout UnsafeMutableRawPointer
) -> UnsafeRawPointer {
    var s = from
    while end - s >= 16 {
        let first = s.loadUnaligned(as: UInt64.self)
        let second = s.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        d.storeBytes(of: first, as: UInt64.self)
        d.storeBytes(of: second, toByteOffset: 8, as: UInt64.self)
        let (firstSpecial, secondSpecial) = (specialBytes(first), specialBytes(second))
        if firstSpecial | secondSpecial != 0 {
            let plainCount =
                firstSpecial != 0
                ? firstSpecial.trailingZeroBitCount >> 3 : 8 + secondSpecial.trailingZeroBitCount >> 3
            d += plainCount
            return s + plainCount
        }
        s += 16
        d += 16
    }
    if end - s >= 8 {
        let word = s.loadUnaligned(as: UInt64.self)
        d.storeBytes(of: word, as: UInt64.self)
        let special = specialBytes(word)
        let plainCount = special == 0 ? 8 : special.trailingZeroBitCount >> 3
        s += plainCount
        d += plainCount
        if special != 0 { return s }
    }
    // What is left of a longer run: once more eight bytes, the last of which are new.
    if s < end, end - from >= 8 {
        let again = 8 - (end - s)
        let word = (end - 8).loadUnaligned(as: UInt64.self)
        (d - again).storeBytes(of: word, as: UInt64.self)
        let special = specialBytes(word)
        let plainCount = special == 0 ? 8 : special.trailingZeroBitCount >> 3
        d += plainCount - again
        return end - 8 + plainCount
    }
    while s < end {
        let byte = s.load(as: UInt8.self)
        if byte < 0x20 || byte == Ascii.quote || byte == Ascii.backslash || byte >= 0x80 { return s }
        d.storeBytes(of: byte, as: UInt8.self)
        s += 1
        d += 1
    }
    return s
}

/// Bit 7 of each byte that is below 0x20, a quote, a backslash or beyond ASCII. Each subtraction borrows from the next
/// byte only at a byte that is special itself, so bytes after (above) the first special one may be marked wrongly, never
/// those before it.
@inline(__always)
func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let controls = word &- ones &* 0x20
    let quotes = (word ^ ones &* UInt64(Ascii.quote)) &- ones
    let backslashes = (word ^ ones &* UInt64(Ascii.backslash)) &- ones
    return (word | controls | quotes | backslashes) & 0x8080_8080_8080_8080
}

@inline(__always)
private func putReplacement(_ d: inout UnsafeMutableRawPointer) {
    d.storeBytes(of: 0xEF, as: UInt8.self)
    d.storeBytes(of: 0xBF, toByteOffset: 1, as: UInt8.self)
    d.storeBytes(of: 0xBD, toByteOffset: 2, as: UInt8.self)
    d += 3
}

private func putEscape(_ byte: UInt8, _ d: inout UnsafeMutableRawPointer) {
    let short: UInt8 =
        switch byte {
        case Ascii.quote, Ascii.backslash: byte
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: 0
        }
    d.storeBytes(of: Ascii.backslash, as: UInt8.self)
    if short != 0 {
        d.storeBytes(of: short, toByteOffset: 1, as: UInt8.self)
        d += 2
        return
    }
    let low = byte & 15
    d.storeBytes(of: UInt8(ascii: "u"), toByteOffset: 1, as: UInt8.self)
    d.storeBytes(of: 0x30, toByteOffset: 2, as: UInt8.self)
    d.storeBytes(of: 0x30, toByteOffset: 3, as: UInt8.self)
    d.storeBytes(of: 0x30 + (byte >> 4), toByteOffset: 4, as: UInt8.self)
    d.storeBytes(of: low < 10 ? 0x30 + low : 0x57 + low, toByteOffset: 5, as: UInt8.self)
    d += 6
}
