// The one buffer that a row is written into, used again for every row. Text is checked, cut to its width, escaped
// and copied in a single pass: runs of plain ASCII go sixteen bytes at a time, everything else one character at a time.

import CivilTime

/// What happened to a text on its way into the row.
struct TextOutcome: OptionSet {
    let rawValue: UInt8
    /// The text was longer than its column.
    static let cut = TextOutcome(rawValue: 1)
    /// Bytes that are no UTF-8, U+0000 or noncharacters became U+FFFD.
    static let replaced = TextOutcome(rawValue: 2)
}

final class RowBuffer {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    /// A row cannot get longer (design limit of 4 MB): the widths of its columns, each byte escaped, sum up to less.
    static let byteCountMax = 4_000_000

    init(capacity: Int = 16_384) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var bytes: Bytes { Bytes(start: base, count: count) }

    func reset() { count = 0 }

    /// Takes back what was written after `count` bytes.
    func cut(to count: Int) {
        precondition(count <= self.count, "cannot cut a row to more than it holds")
        self.count = count
    }

    @inline(__always)
    private func reserve(_ more: Int) {
        if count &+ more > capacity { grow(count + more) }
    }

    private func grow(_ needed: Int) {
        precondition(needed <= 2 * Self.byteCountMax, "a row outgrew the sum of its column widths")
        let larger = max(needed, capacity * 2)
        let room = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        room.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = room
        capacity = larger
    }

    @inline(__always)
    func put(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        reserve(length)
        (base + count).copyMemory(from: text.utf8Start, byteCount: length)
        count &+= length
    }

    func put(byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Bytes that are known to need neither check nor escape.
    @inline(__always)
    func put(plain bytes: Bytes) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count &+= bytes.count
    }

    func put(number: Int64) {
        if 0...9 ~= number { return put(byte: UInt8(truncatingIfNeeded: 0x30 + number)) }
        reserve(20)
        if number < 0 { put(byte: UInt8(ascii: "-")) }
        var rest = number.magnitude
        var digitCount = 1
        var limit: UInt64 = 10
        while digitCount < 19, rest >= limit {
            digitCount += 1
            limit = limit &* 10
        }
        for i in stride(from: count + digitCount - 1, through: count, by: -1) {
            base.storeBytes(of: UInt8(truncatingIfNeeded: 0x30 + rest % 10), toByteOffset: i, as: UInt8.self)
            rest /= 10
        }
        count += digitCount
    }

    @inline(__always)
    func put(time: Timestamp, _ text: TimeText) {
        if time != text.time { text.set(time) }
        put(plain: text.bytes)
    }

    /// Base64 (RFC 4648 section 4) of as many whole groups of three bytes as fit into `byteCountMax` characters.
    func put(base64 bytes: Bytes, byteCountMax: Int) -> TextOutcome {
        let groupCountMax = byteCountMax / 4
        let fits = (bytes.count + 2) / 3 <= groupCountMax
        let source = fits ? bytes : bytes.part(0, groupCountMax * 3)
        let length = (source.count + 2) / 3 * 4
        reserve(length)
        var to = base + count
        var i = 0
        while i < source.count {
            let left = source.count - i
            let group =
                UInt32(source[i]) << 16 | (left > 1 ? UInt32(source[i + 1]) << 8 : 0)
                | (left > 2 ? UInt32(source[i + 2]) : 0)
            to.storeBytes(of: base64Digit(group >> 18), as: UInt8.self)
            to.storeBytes(of: base64Digit(group >> 12), toByteOffset: 1, as: UInt8.self)
            to.storeBytes(of: left > 1 ? base64Digit(group >> 6) : 0x3D, toByteOffset: 2, as: UInt8.self)
            to.storeBytes(of: left > 2 ? base64Digit(group) : 0x3D, toByteOffset: 3, as: UInt8.self)
            to += 4
            i += 3
        }
        count += length
        return fits ? [] : .cut
    }

    /// The text as the inside of a JSON string (RFC 8259), at most `byteCountMax` bytes of UTF-8 before escaping.
    func put(text: Bytes, byteCountMax: Int) -> TextOutcome {
        guard let start = text.baseAddress, text.count > 0 else { return [] }
        // A control character takes six bytes, a replaced byte three; the copy loop may store sixteen at once.
        reserve(min(text.count, byteCountMax) * 6 + 16)
        var to = base + count
        let outcome = escape(from: start, end: start + text.count, room: byteCountMax, to: &to)
        count = to - base
        return outcome
    }

    private func base64Digit(_ bits: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: bits & 63)
        return switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + (value - 26)
        case 52..<62: 0x30 + (value - 52)
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

/// The text of the last time of a column: rows of the same moment come together.
final class TimeText {
    private let base = UnsafeMutableRawPointer.allocate(byteCount: RFC3339.byteCountMax, alignment: 1)
    private var count = 0
    private(set) var time = Timestamp(microseconds: 0)

    init() { set(time) }

    deinit { base.deallocate() }

    var bytes: Bytes { Bytes(start: base, count: count) }

    func set(_ time: Timestamp) {
        self.time = time
        count = RFC3339.write(time, to: base)
    }
}
