// One value inside a prefix. Values come from hostile log lines: what this gives is never empty, never longer than
// 128 bytes, holds no slash, no `=`, no leading dot, and two different values give two different texts.

import Crypto

package enum PartitionValue {
    static let bytesMax = 128
    /// For an absent value.
    package static let none = "__none__"
    /// For values beyond the number of partitions a batch may have.
    static let other = "__other__"

    /// Hexadecimal digits of the SHA-256 that ends a shortened value.
    private static let hashDigits = 16

    /// Letters, digits, `.`, `_` and `-`.
    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    package static func encode(text: String) -> String {
        var text = text
        return text.withUTF8 { encode(UnsafeRawBufferPointer($0)) }
    }

    /// Percent-encodes what is not allowed; a leading dot (`.`, `..`, hidden files) and the first of two leading
    /// underscores (the reserved `__none__` and `__other__`) are encoded too.
    static func encode(_ value: UnsafeRawBufferPointer) -> String {
        guard !value.isEmpty else { return none }
        let isReserved = value.count >= 2 && value[0] == 0x5F && value[1] == 0x5F
        var out: [UInt8] = []
        out.reserveCapacity(min(value.count * 3, bytesMax + 3))
        var kept = 0
        let keptMax = bytesMax - hashDigits - 1
        for (index, byte) in value.enumerated() {
            let isPlain = isAllowed(byte) && !(index == 0 && (byte == 0x2E || isReserved))
            if isPlain { out.append(byte) } else { out += [0x25, digit(byte >> 4), digit(byte & 15)] }
            if out.count <= keptMax { kept = out.count }
            if out.count > bytesMax { return shortened(value, start: out[..<kept]) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func shortened(_ value: UnsafeRawBufferPointer, start: ArraySlice<UInt8>) -> String {
        var hash = SHA256()
        hash.update(bufferPointer: value)
        var out = Array(start)
        out.append(0x2D)
        for byte in hash.finalize().prefix(hashDigits / 2) { out += [digit(byte >> 4), digit(byte & 15)] }
        return String(decoding: out, as: UTF8.self)
    }

    /// Upper case, as RFC 3986 section 2.1 recommends.
    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x37 + nibble }
}
