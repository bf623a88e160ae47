// Reads a raw deflate stream for its shape alone: where its last block begins and ends, and how many bytes it unpacks to.
// Every symbol is decoded as RFC 1951 says, none is copied; so it takes a small part of the time that inflating takes.

/// Tables for one stream at a time; not Sendable.
final class BlockScan {
    /// Bytes that must be readable behind the stream: bits are fetched eight bytes at a time.
    static let slack = 16

    struct LastBlock: Equatable {
        /// Bit at which the header of the last block begins, and the bit after its end.
        var start: Int
        var end: Int
        /// Of the whole stream.
        var unpackedBytes: Int
    }

    private static let symbolBits = 11
    private static let distanceBits = 9
    /// Symbols of one alphabet at most (RFC 1951 section 3.2.5): 288 and 32, with those that never occur.
    private static let lengthsMax = 320

    private let symbols = ScanCode(bits: symbolBits)
    private let distances = ScanCode(bits: distanceBits)
    private let widths = ScanCode(bits: 7)
    private let lengths = UnsafeMutablePointer<UInt8>.allocate(capacity: lengthsMax)

    deinit { lengths.deallocate() }

    /// - Parameter count: bytes of the stream, which begins with `bytes`; at least `slack` more must be there.
    /// - Returns: nil unless the stream is valid and ends within the last of its bytes.
    func lastBlock(of bytes: UnsafeRawBufferPointer, count: Int) -> LastBlock? {
        precondition(bytes.count >= count + Self.slack, "bits are fetched beyond the end")
        guard let base = bytes.baseAddress, count > 0 else { return nil }
        var reader = BitReader(base: base, count: count)
        var unpacked = 0
        // Ends: each block takes three bits at least.
        while true {
            let start = reader.position
            guard reader.refill() else { return nil }
            let isFinal = reader.take(1) == 1
            switch reader.take(2) {
            case 0:
                guard let length = reader.skipStored() else { return nil }
                unpacked += length
            case 1:
                setFixed()
                guard skipSymbols(&reader, &unpacked) else { return nil }
            case 2:
                guard readCodes(&reader), skipSymbols(&reader, &unpacked) else { return nil }
            default: return nil
            }
            let end = reader.position
            guard end <= count * 8 else { return nil }
            if isFinal { return LastBlock(start: start, end: end, unpackedBytes: unpacked) }
        }
    }

    /// The codes that need no description (RFC 1951 section 3.2.6).
    private func setFixed() {
        for symbol in 0..<288 { lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8 }
        _ = symbols.set(lengths, count: 288, entry: ScanEntry.symbol)
        symbols.pairLiterals()
        for symbol in 0..<32 { lengths[symbol] = 5 }
        _ = distances.set(lengths, count: 32, entry: ScanEntry.distance)
    }

    /// The codes of a dynamic block (RFC 1951 section 3.2.7).
    private func readCodes(_ reader: inout BitReader) -> Bool {
        guard reader.refill() else { return false }
        let symbolCount = 257 + reader.take(5)
        let distanceCount = 1 + reader.take(5)
        let widthCount = 4 + reader.take(4)
        guard symbolCount <= 286 else { return false }
        for index in 0..<19 { lengths[index] = 0 }
        for index in 0..<widthCount {
            guard reader.refill() else { return false }
            lengths[Self.widthOrder[index]] = UInt8(reader.take(3))
        }
        guard widths.set(lengths, count: 19, entry: ScanEntry.plain) else { return false }
        var index = 0
        while index < symbolCount + distanceCount {
            guard reader.refill(), let symbol = widths.plainSymbol(&reader) else { return false }
            var value: UInt8 = 0
            var times = 1
            switch symbol {
            case 0...15: value = UInt8(symbol)
            case 16:
                guard index > 0 else { return false }
                value = lengths[index - 1]
                times = 3 + reader.take(2)
            case 17: times = 3 + reader.take(3)
            default: times = 11 + reader.take(7)
            }
            guard index + times <= symbolCount + distanceCount else { return false }
            for _ in 0..<times {
                lengths[index] = value
                index += 1
            }
        }
        guard lengths[256] != 0, symbols.set(lengths, count: symbolCount, entry: ScanEntry.symbol) else { return false }
        symbols.pairLiterals()
        return distances.set(lengths + symbolCount, count: distanceCount, entry: ScanEntry.distance)
    }

    private static let widthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    /// Passes over symbols up to the end of the block. This is where the time goes.
    private func skipSymbols(_ reader: inout BitReader, _ unpacked: inout Int) -> Bool {
        let (symbols, distances) = (symbols.table, distances.table)
        let (symbolMask, distanceMask) = ((1 << Self.symbolBits) - 1, (1 << Self.distanceBits) - 1)
        var bits = reader
        var bytes = unpacked
        defer {
            reader = bits
            unpacked = bytes
        }
        // Ends: each round takes a bit at least, and refilling fails behind the end.
        while true {
            guard bits.refill() else { return false }
            var entry = symbols[Int(truncatingIfNeeded: bits.buffer) & symbolMask]
            // Two look-ups of literals at most, then 34 of at least 56 bits are left: enough for a length of 20.
            if entry.isLiteral {
                bits.drop(entry.bits)
                bytes += entry.base
                entry = symbols[Int(truncatingIfNeeded: bits.buffer) & symbolMask]
                if entry.isLiteral {
                    bits.drop(entry.bits)
                    bytes += entry.base
                    continue
                }
            }
            if entry.isAbsent {
                guard bits.refill(), let long = self.symbols.longSymbol(bits.buffer) else { return false }
                entry = long
            }
            if entry.isEnd {
                bits.drop(entry.bits)
                return true
            }
            bytes += entry.base + Int((bits.buffer >> entry.codeBits) & ((1 << (entry.bits - entry.codeBits)) - 1))
            bits.drop(entry.bits)
            if entry.isLiteral { continue }
            guard bits.refill() else { return false }
            var distance = distances[Int(truncatingIfNeeded: bits.buffer) & distanceMask]
            if distance.isAbsent {
                guard let long = self.distances.longSymbol(bits.buffer) else { return false }
                distance = long
            }
            bits.drop(distance.bits)
        }
    }
}
