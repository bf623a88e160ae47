// The partition key that says where a record comes from: `host/file/generation/offset`. It is unique, spreads evenly,
// and is the same whenever the same bytes are sent again, so that a duplicate can be told.

/// Makes the keys of one file.
struct SourceKey {
    /// Each of host and file; with generation (8) and offset (19) a key stays below 256 characters.
    static let nameBytesMax = 100

    private let prefix: String

    init(host: String, file: String, generation: String) {
        prefix = "\(Self.plain(host))/\(Self.plain(file))/\(generation)/"
    }

    func key(offset: Int) -> String { prefix + String(offset) }

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
