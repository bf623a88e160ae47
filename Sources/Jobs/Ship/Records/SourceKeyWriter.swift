// The partition key that says where a record comes from: `host/file/generation/offset`. It is unique, spreads evenly,
// and is the same whenever the same bytes are sent again, so that a duplicate can be told.

/// Makes the keys of one file, into a buffer that is used again.
struct SourceKeyWriter {
    /// Each of host and file; with generation (8) and offset (19) a key stays below 256 characters.
    static let nameBytesMax = 100
    /// Most bytes of a key.
    static let keyBytesMax = 2 * nameBytesMax + 8 + 19 + 3

    private var bytes: [UInt8]
    private let prefixCount: Int

    init(host: String, file: String, generation: String) {
        bytes = Array("\(Self.plain(host))/\(Self.plain(file))/\(generation)/".utf8)
        prefixCount = bytes.count
    }

    /// The key is valid inside `body`.
    mutating func withKey<Result>(
        offset: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        bytes.removeLast(bytes.count - prefixCount)
        appendDecimal(offset)
        return try bytes.withUnsafeBytes(body)
    }

    func key(offset: Int) -> String { String(decoding: bytes[..<prefixCount], as: UTF8.self) + String(offset) }

    private mutating func appendDecimal(_ number: Int) {
        guard number > 0 else { return bytes.append(UInt8(ascii: "0")) }
        let first = bytes.count
        var rest = number
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        bytes[first...].reverse()
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
