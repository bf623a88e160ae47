// Where strings of JSON records stand after decoding, so that the rest of the line stays a slice of the payload.

/// Room for decoded strings. A decoded string is never longer than its text, so one line never needs more than its
/// own length.
final class StringArena {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    var count = 0

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

    func append(_ bytes: Bytes) {
        guard let start = bytes.baseAddress else { return }
        precondition(count + bytes.count <= capacity, "a decoded string is longer than its text")
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    func append(scalar: UInt32) {
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

    func bytes(from start: Int) -> Bytes { Bytes(start: base + start, count: count - start) }
}
