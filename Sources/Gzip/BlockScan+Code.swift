// The parts of `BlockScan`: bits of a stream, and one Huffman code as a table.

/// Bits from the lowest of each byte on (RFC 1951 section 3.1.1).
struct BitReader {
    private let base: UnsafeRawPointer
    private let count: Int
    private var next = 0
    /// The bits that come next, lowest first, and how many of them are counted.
    private(set) var buffer: UInt64 = 0
    private var held: UInt64 = 0

    init(base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    /// Bits taken so far.
    var position: Int { next * 8 - Int(held) }

    /// Makes at least 56 bits ready; false when all bits of the stream have been taken and more.
    @inline(__always)
    mutating func refill() -> Bool {
        // At most 63 bits are held: eight bytes behind the end, the position is behind it too.
        guard next <= count + 8 else { return false }
        buffer |= UInt64(littleEndian: base.loadUnaligned(fromByteOffset: next, as: UInt64.self)) << held
        next += Int((63 - held) >> 3)
        held |= 56
        return true
    }

    @inline(__always)
    mutating func drop(_ bits: UInt64) {
        buffer >>= bits
        held &-= bits
    }

    mutating func take(_ bits: UInt64) -> Int {
        let value = buffer & ((1 << bits) - 1)
        drop(bits)
        return Int(value)
    }

    /// Passes over the rest of a stored block (RFC 1951 section 3.2.4) and gives its length.
    mutating func skipStored() -> Int? {
        let start = (position + 7) / 8
        guard start + 4 <= count else { return nil }
        let length = Int(UInt16(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt16.self)))
        let check = Int(UInt16(littleEndian: base.loadUnaligned(fromByteOffset: start + 2, as: UInt16.self)))
        guard length ^ check == 0xFFFF, start + 4 + length <= count else { return nil }
        next = start + 4 + length
        buffer = 0
        held = 0
        return length
    }
}

/// What a reader does with one symbol, packed for a table.
struct ScanEntry {
    private let value: UInt32

    private static let literalMark: UInt32 = 1 << 13
    private static let endMark: UInt32 = 1 << 14

    static let absent = ScanEntry(value: 0)

    private init(value: UInt32) { self.value = value }

    private init(codeBits: Int, extraBits: Int, base: Int, mark: UInt32) {
        value = UInt32(codeBits + extraBits) | UInt32(codeBits) << 8 | mark | UInt32(base) << 16
    }

    /// Bits of the code and of what follows it.
    var bits: UInt64 { UInt64(value & 0xFF) }
    var codeBits: UInt64 { UInt64(value >> 8 & 0x1F) }
    /// The least length, the number of literals, or the symbol itself.
    var base: Int { Int(value >> 16) }
    var isLiteral: Bool { value & Self.literalMark != 0 }
    var isEnd: Bool { value & Self.endMark != 0 }
    /// The code is longer than the table is wide, or there is no such code.
    var isAbsent: Bool { value == 0 }

    /// Literals, the end of the block, and lengths (RFC 1951 section 3.2.5).
    static func symbol(_ symbol: Int, codeBits: Int) -> ScanEntry? {
        switch symbol {
        case ..<256: return ScanEntry(codeBits: codeBits, extraBits: 0, base: 1, mark: literalMark)
        case 256: return ScanEntry(codeBits: codeBits, extraBits: 0, base: 0, mark: endMark)
        case 257..<265: return ScanEntry(codeBits: codeBits, extraBits: 0, base: symbol - 254, mark: 0)
        case 265..<285:
            let extra = (symbol - 261) / 4
            return ScanEntry(
                codeBits: codeBits, extraBits: extra, base: 3 + (4 + (symbol - 261) % 4) << extra, mark: 0)
        case 285: return ScanEntry(codeBits: codeBits, extraBits: 0, base: 258, mark: 0)
        default: return nil
        }
    }

    /// Distances: only their bits matter.
    static func distance(_ symbol: Int, codeBits: Int) -> ScanEntry? {
        guard symbol < 30 else { return nil }
        return ScanEntry(codeBits: codeBits, extraBits: symbol < 4 ? 0 : symbol / 2 - 1, base: 1, mark: 0)
    }

    static func plain(_ symbol: Int, codeBits: Int) -> ScanEntry? {
        ScanEntry(codeBits: codeBits, extraBits: 0, base: symbol, mark: 0)
    }

    /// Two literals that are looked up at once.
    func followed(by other: ScanEntry) -> ScanEntry {
        ScanEntry(codeBits: Int(bits + other.bits), extraBits: 0, base: 2, mark: Self.literalMark)
    }
}

/// One canonical Huffman code (RFC 1951 section 3.2.2), looked up by the next bits; not Sendable.
final class ScanCode {
    private static let bitsMax = 15
    private static let symbolsMax = 288

    let table: UnsafeMutablePointer<ScanEntry>
    private let bits: Int
    /// How many codes have a length, and all symbols in the order of their codes: for codes longer than `bits`.
    private let counts = UnsafeMutablePointer<Int>.allocate(capacity: bitsMax + 1)
    private let ordered = UnsafeMutablePointer<UInt16>.allocate(capacity: symbolsMax)
    /// The next code of each length, and its place in `ordered`.
    private let codes = UnsafeMutablePointer<Int>.allocate(capacity: bitsMax + 1)
    private let places = UnsafeMutablePointer<Int>.allocate(capacity: bitsMax + 1)
    private var entry: (Int, Int) -> ScanEntry? = ScanEntry.plain

    init(bits: Int) {
        self.bits = bits
        table = .allocate(capacity: 1 << bits)
    }

    deinit {
        table.deallocate()
        counts.deallocate()
        ordered.deallocate()
        codes.deallocate()
        places.deallocate()
    }

    /// - Returns: false when there are more codes than fit.
    func set(_ lengths: UnsafePointer<UInt8>, count: Int, entry: @escaping (Int, Int) -> ScanEntry?) -> Bool {
        self.entry = entry
        for length in 0...Self.bitsMax { counts[length] = 0 }
        for symbol in 0..<count { counts[Int(lengths[symbol])] += 1 }
        var room = 1
        var (code, place) = (0, 0)
        for length in 1...Self.bitsMax {
            room = room * 2 - counts[length]
            guard room >= 0 else { return false }
            codes[length] = code
            places[length] = place
            code = (code + counts[length]) << 1
            place += counts[length]
        }
        for index in 0..<1 << bits { table[index] = .absent }
        for symbol in 0..<count where lengths[symbol] > 0 {
            let length = Int(lengths[symbol])
            ordered[places[length]] = UInt16(symbol)
            places[length] += 1
            let code = codes[length]
            codes[length] += 1
            guard length <= bits, let made = entry(symbol, length) else { continue }
            // Codes are read from their highest bit on, all else from the lowest.
            var index = Int(UInt16(code).bitSwapped) >> (16 - length)
            while index < 1 << bits {
                table[index] = made
                index += 1 << length
            }
        }
        return true
    }

    /// Lets one look-up give two literals where both fit. Downwards: the entry of what follows lies below.
    func pairLiterals() {
        for index in stride(from: (1 << bits) - 1, through: 0, by: -1) where table[index].isLiteral {
            let first = table[index]
            let second = table[index >> Int(first.bits)]
            guard second.isLiteral, Int(first.bits + second.bits) <= bits, second.base == 1 else { continue }
            table[index] = first.followed(by: second)
        }
    }

    /// The symbol that these bits begin with, bit by bit; nil when there is none.
    func longSymbol(_ buffer: UInt64) -> ScanEntry? {
        var (code, first, place) = (0, 0, 0)
        for length in 1...Self.bitsMax {
            code |= Int(buffer >> UInt64(length - 1) & 1)
            let count = counts[length]
            if code - count < first { return entry(Int(ordered[place + code - first]), length) }
            place += count
            first = (first + count) << 1
            code <<= 1
        }
        return nil
    }

    func plainSymbol(_ reader: inout BitReader) -> Int? {
        let entry = table[Int(truncatingIfNeeded: reader.buffer) & ((1 << bits) - 1)]
        guard !entry.isAbsent else { return nil }
        reader.drop(entry.bits)
        return entry.base
    }
}

extension UInt16 {
    fileprivate var bitSwapped: UInt16 {
        var (value, swapped) = (self, UInt16(0))
        for _ in 0..<16 {
            swapped = swapped << 1 | value & 1
            value >>= 1
        }
        return swapped
    }
}
