// The partition key that says where a record comes from: `host/file/generation/offset`. It is unique, spreads evenly,
// and is the same whenever the same bytes are sent again, so that a duplicate can be told.

/// Makes the keys of one file, into a buffer that is used again.
struct SourceKeyWriter {
    /// Each of host and file; with generation (8) and offset (19) a key stays below 256 characters.
    static let nameBytesMax = 100
    /// Most bytes of a key.
    static let keyBytesMax = 2 * nameBytesMax + 8 + 19 + 3

    /// Digits of the largest offset.
    private static let offsetDigitsMax = 19

    /// What all keys of the file begin with, and room for an offset.
    private var bytes: [UInt8]
    private let prefixCount: Int

    init(host: String, file: String, generation: String) {
        bytes = Array("\(Self.plain(host))/\(Self.plain(file))/\(generation)/".utf8)
        prefixCount = bytes.count
        bytes += [UInt8](repeating: 0, count: Self.offsetDigitsMax)
    }

    /// The key is valid inside `body`.
    mutating func withKey<Result>(
        offset: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try bytes.withUnsafeMutableBytes { bytes in
            let end = prefixCount + Self.digitCount(offset)
            var rest = max(0, offset)
            var place = end
            repeat {
                place -= 1
                bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while place > prefixCount
            return try body(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        }
    }

    func key(offset: Int) -> String { String(decoding: bytes[..<prefixCount], as: UTF8.self) + String(offset) }

    private static func digitCount(_ number: Int) -> Int {
        var count = 1
        var limit = 10
        while count < offsetDigitsMax, limit <= number {
            count += 1
            limit = limit &* 10
        }
        return count
    }

    /// Letters, digits, `.`, `_`, `-`; everything else becomes `_`, and what is too long loses its start.
    static func plain(_ name: String) -> String {
        let bytes = name.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): byte
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): byte
            default: UInt8(ascii: "_")
            }
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes.suffix(nameBytesMax), as: UTF8.self)
    }
}
