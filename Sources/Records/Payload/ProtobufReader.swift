// The wire format of protocol buffers, read from bytes that may be damaged: nothing is trusted, everything is bounded.
// https://protobuf.dev/programming-guides/encoding/

/// A cursor over one message. Any method that gives nil or false has found damage; the reader is then of no use.
struct ProtobufReader {
    /// Groups inside groups; the same depth as Google's own readers allow.
    static let groupDepthMax = 100
    private static let varintBytesMax = 10

    enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case groupStart = 3
        case groupEnd = 4
        case fixed32 = 5
    }

    struct Tag {
        var field: UInt32
        var wireType: WireType
    }

    private let base: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int

    /// Reads the message that lies in `range` of `base`; ranges that come back count from the start of `base`.
    init(_ base: UnsafeRawBufferPointer, range: Range<Int>) {
        self.base = base
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position == end }

    /// The next field's tag; nil for field number 0, an unknown wire type or a damaged varint.
    mutating func tag() -> Tag? {
        // A tag has 32 bits; what a longer varint says beyond them is dropped, as Google's readers do.
        guard let value = varint() else { return nil }
        let bits = UInt32(truncatingIfNeeded: value)
        guard bits >> 3 != 0, let wireType = WireType(rawValue: UInt8(bits & 7)) else { return nil }
        return Tag(field: bits >> 3, wireType: wireType)
    }

    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<Self.varintBytesMax {
            guard position < end else { return nil }
            let byte = base[position]
            position += 1
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    /// The place of a length-delimited field's content.
    mutating func bytes() -> Range<Int>? {
        guard let length = varint(), length <= UInt64(end - position) else { return nil }
        let start = position
        position += Int(length)
        return start..<position
    }

    /// Passes over the value of a field that the caller does not know.
    mutating func skip(_ tag: Tag) -> Bool {
        switch tag.wireType {
        case .varint: return varint() != nil
        case .fixed64: return advance(8)
        case .bytes: return bytes() != nil
        case .fixed32: return advance(4)
        case .groupStart: return skipGroup(tag.field)
        case .groupEnd: return false
        }
    }

    private mutating func advance(_ count: Int) -> Bool {
        guard end - position >= count else { return false }
        position += count
        return true
    }

    private mutating func skipGroup(_ field: UInt32) -> Bool {
        var open = [field]
        while let innermost = open.last {
            guard let tag = tag() else { return false }
            switch tag.wireType {
            case .groupStart:
                guard open.count < Self.groupDepthMax else { return false }
                open.append(tag.field)
            case .groupEnd:
                guard tag.field == innermost else { return false }
                open.removeLast()
            default:
                guard skip(tag) else { return false }
            }
        }
        return true
    }
}
