// gzip data without a compressor: one member with one stored block (RFC 1951 section 3.2.4, RFC 1952 section 2.3).

/// - Parameter text: at most 65,535 bytes.
func packed(_ text: String) -> [UInt8] { packed(Array(text.utf8)) }

func packed(_ bytes: [UInt8]) -> [UInt8] {
    let count = UInt16(bytes.count)
    let lengths = [UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8)]
    let trailer = [crc32(bytes), UInt32(bytes.count)].flatMap { word in (0..<4).map { UInt8(word >> (8 * $0) & 0xFF) } }
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1] + lengths + bytes + trailer
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { word, _ in word & 1 == 1 ? word >> 1 ^ 0xEDB8_8320 : word >> 1 }
    }
}
