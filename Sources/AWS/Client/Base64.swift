// Base64 (RFC 4648 section 4) between byte buffers. Decoding works in place, as the result is shorter than its text:
// one pass over a GetRecords page finds the end of the string and decodes it.
import CBytes

enum Base64 {
    /// Marks a byte outside the alphabet in the tables below.
    private static let invalid: UInt32 = 0x8000_0000

    /// Four tables of 256: the six bits of a digit, shifted to where the first, second, third and fourth digit of a
    /// group of four put them in a little-endian word whose low three bytes are the result.
    static let decodeTables: [UInt32] = {
        var tables = [UInt32](repeating: invalid, count: 4 * 256)
        for (value, digit) in alphabet.enumerated() {
            let bits = UInt32(value)
            tables[Int(digit)] = bits << 2
            tables[256 + Int(digit)] = bits >> 4 | (bits & 0x0F) << 12
            tables[512 + Int(digit)] = (bits >> 2) << 8 | (bits & 0x03) << 22
            tables[768 + Int(digit)] = bits << 16
        }
        return tables
    }()

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Decodes whole groups of four digits from `source` to `target`, which may be the same place or lie before it,
    /// until a group holds anything else or fewer than four bytes are left before `end`.
    /// Gives the bytes read and written.
    @inline(__always)
    static func decodeGroups(
        _ source: UnsafePointer<UInt8>, limit: Int, to target: UnsafeMutablePointer<UInt8>,
        tables: UnsafePointer<UInt32>
    ) -> (read: Int, written: Int) {
        var read = 0
        var written = 0
        // Two groups at a time. A store of four bytes writes one too many, over digits that have been read already.
        while read + 8 <= limit {
            let first = group(source + read, tables)
            let second = group(source + read + 4, tables)
            if (first | second) & invalid != 0 { break }
            let place = UnsafeMutableRawPointer(target + written)
            place.storeBytes(of: first.littleEndian, as: UInt32.self)
            place.storeBytes(of: second.littleEndian, toByteOffset: 3, as: UInt32.self)
            read += 8
            written += 6
        }
        while read + 4 <= limit {
            let word = group(source + read, tables)
            if word & invalid != 0 { break }
            target[written] = UInt8(truncatingIfNeeded: word)
            target[written + 1] = UInt8(truncatingIfNeeded: word >> 8)
            target[written + 2] = UInt8(truncatingIfNeeded: word >> 16)
            read += 4
            written += 3
        }
        return (read, written)
    }

    @inline(__always)
    private static func group(_ digits: UnsafePointer<UInt8>, _ tables: UnsafePointer<UInt32>) -> UInt32 {
        tables[Int(digits[0])] | tables[256 + Int(digits[1])] | tables[512 + Int(digits[2])]
            | tables[768 + Int(digits[3])]
    }

    /// Decodes the last, padded group at `source`: `xx==` or `xxx=`. Nil when it is neither.
    static func decodePadded(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, tables: UnsafePointer<UInt32>
    ) -> Int? {
        let padding = UInt8(ascii: "=")
        guard source[3] == padding else { return nil }
        var word = tables[Int(source[0])] | tables[256 + Int(source[1])]
        let hasTwo = source[2] != padding
        if hasTwo { word |= tables[512 + Int(source[2])] }
        guard word & invalid == 0 else { return nil }
        target[0] = UInt8(truncatingIfNeeded: word)
        if hasTwo { target[1] = UInt8(truncatingIfNeeded: word >> 8) }
        return hasTwo ? 2 : 1
    }

    /// What `digits`, padding included, stand for; nil when they are no base64.
    static func decoded(_ digits: UnsafeRawBufferPointer) -> [UInt8]? {
        var isWhole = digits.count.isMultiple(of: 4)
        // Decoding may write one byte beyond what it decoded.
        let bytes = [UInt8](unsafeUninitializedCapacity: digits.count / 4 * 3 + 1) { target, count in
            digits.withMemoryRebound(to: UInt8.self) { digits in
                decodeTables.withUnsafeBufferPointer { tables in
                    guard let source = digits.baseAddress, let place = target.baseAddress,
                        let tables = tables.baseAddress
                    else { return }
                    let (read, written) = decodeGroups(source, limit: digits.count, to: place, tables: tables)
                    count = written
                    guard read + 4 <= digits.count else { return }
                    let rest = decodePadded(source + read, to: place + written, tables: tables)
                    isWhole = isWhole && rest != nil && read + 4 == digits.count
                    count += rest ?? 0
                }
            }
        }
        return isWhole ? bytes : nil
    }

    // MARK: - Encoding

    /// The two digits of each value of twelve bits, the first one in the low byte.
    static let digitPairs: [UInt16] = (0..<4_096).map { UInt16(alphabet[$0 >> 6]) | UInt16(alphabet[$0 & 63]) << 8 }

    /// How many digits, padding included, `count` bytes take.
    static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Writes the base64 of `source` to `target`, which has room for `encodedCount(source.count)`; `pairs` are
    /// `digitPairs`. Gives the bytes written.
    @inline(__always)
    static func encode(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, pairs: UnsafePointer<UInt16>
    ) -> Int {
        guard let base = source.baseAddress else { return 0 }
        let read = sluice_base64_bulk(
            base.assumingMemoryBound(to: UInt8.self), source.count, target.assumingMemoryBound(to: UInt8.self))
        return read / 3 * 4
            + encodePlainly(
                UnsafeRawBufferPointer(rebasing: source[read...]), to: target + read / 3 * 4, pairs: pairs)
    }

    /// The same without vector instructions: for machines that lack them, and for the rest that they leave.
    @inline(__always)
    static func encodePlainly(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, pairs: UnsafePointer<UInt16>
    ) -> Int {
        guard let base = source.baseAddress else { return 0 }
        var read = 0
        var written = 0
        // Six bytes become eight digits; a load takes two bytes more, which must be there. Two loads a turn and stores
        // of half the width are a fifth faster than one of each.
        while read + 14 <= source.count {
            let first = UInt64(bigEndian: (base + read).loadUnaligned(as: UInt64.self))
            let second = UInt64(bigEndian: (base + read + 6).loadUnaligned(as: UInt64.self))
            let place = target + written
            place.storeBytes(of: fourDigits(first &>> 40, pairs), as: UInt32.self)
            place.storeBytes(of: fourDigits(first &>> 16, pairs), toByteOffset: 4, as: UInt32.self)
            place.storeBytes(of: fourDigits(second &>> 40, pairs), toByteOffset: 8, as: UInt32.self)
            place.storeBytes(of: fourDigits(second &>> 16, pairs), toByteOffset: 12, as: UInt32.self)
            read += 12
            written += 16
        }
        while read < source.count {
            let left = source.count - read
            let second = left > 1 ? UInt32(source[read + 1]) << 8 : 0
            let bits = UInt32(source[read]) << 16 | second | (left > 2 ? UInt32(source[read + 2]) : 0)
            var digits = UInt32(pairs[Int(bits >> 12)]) | UInt32(pairs[Int(bits & 0xFFF)]) << 16
            let padding = UInt32(UInt8(ascii: "="))
            if left < 3 { digits = digits & 0x00FF_FFFF | padding << 24 }
            if left < 2 { digits = digits & 0xFF00_FFFF | padding << 16 }
            target.storeBytes(of: digits.littleEndian, toByteOffset: written, as: UInt32.self)
            read += 3
            written += 4
        }
        return written
    }

    /// The digits of the lowest 24 bits, as they lie in memory.
    @inline(__always)
    private static func fourDigits(_ bits: UInt64, _ pairs: UnsafePointer<UInt16>) -> UInt32 {
        let first = UInt32(pairs[Int(truncatingIfNeeded: bits &>> 12 & 0xFFF)])
        return (first | UInt32(pairs[Int(truncatingIfNeeded: bits & 0xFFF)]) &<< 16).littleEndian
    }

    static func text(_ data: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: encodedCount(data.count)) { target in
            data.withUnsafeBytes { source in
                digitPairs.withUnsafeBufferPointer { pairs in
                    guard let place = target.baseAddress, let pairs = pairs.baseAddress else { return 0 }
                    return encode(source, to: UnsafeMutableRawPointer(place), pairs: pairs)
                }
            }
        }
    }
}
