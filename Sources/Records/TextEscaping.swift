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
    while end - s >= 8 {
        let word = s.loadUnaligned(as: UInt64.self)
        d.storeBytes(of: word, as: UInt64.self)
        let special = specialBytes(word)
        if special != 0 {
            let plainCount = special.trailingZeroBitCount >> 3
            d += plainCount
            return s + plainCount
        }
        s += 8
        d += 8
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

/// Bit 7 of each byte that is below 0x20, a quote, a backslash or beyond ASCII. Bytes after (above) the first such
/// byte may be marked wrongly, never those before it.
@inline(__always)
func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let quotes = word ^ (ones &* UInt64(Ascii.quote))
    let backslashes = word ^ (ones &* UInt64(Ascii.backslash))
    let controls = (word &- ones &* 0x20) & ~word
    return (controls | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | word) & tops
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
