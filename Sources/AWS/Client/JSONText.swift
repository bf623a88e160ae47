/// Builds the JSON of a request as bytes: members in the order given.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    mutating func object(_ body: (inout JSONText) -> Void) {
        open(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    mutating func array(_ key: StaticString, _ body: (inout JSONText) -> Void) {
        self.key(key)
        open(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    mutating func object(_ key: StaticString, _ body: (inout JSONText) -> Void) {
        self.key(key)
        open(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        quoted(value)
    }

    /// An element of an array.
    mutating func element(_ value: String) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        quoted(value)
    }

    /// Left out when nil.
    mutating func member(_ key: StaticString, _ value: String?) {
        if let value { member(key, value) }
    }

    /// A number that is written as given.
    mutating func member(_ key: StaticString, number: String) {
        self.key(key)
        bytes.append(contentsOf: number.utf8)
        needsComma = true
    }

    private mutating func open(_ first: UInt8, _ last: UInt8, _ body: (inout JSONText) -> Void) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        bytes.append(first)
        needsComma = false
        body(&self)
        bytes.append(last)
        needsComma = true
    }

    private mutating func key(_ key: StaticString) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// `text` as a JSON string.
    static func quoted(_ text: String) -> [UInt8] {
        var json = JSONText(capacity: text.utf8.count + 16)
        json.quoted(text)
        return json.bytes
    }

    /// True when `bytes` are printable ASCII without quote and backslash: a JSON string as they stand. Eight bytes at a
    /// time, as in `JSONScanner`.
    static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var at = 0
        while at + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let hits =
                (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word
                | word
            if hits & (ones &* 0x80) != 0 { return false }
            at += 8
        }
        return bytes[at...].allSatisfy {
            (0x20..<0x80).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
    }

    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20: bytes.append(contentsOf: ("\\u00" + hexText(CollectionOfOne(byte))).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }
}
