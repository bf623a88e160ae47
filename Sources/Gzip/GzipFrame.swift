// What stands around the deflate data of one gzip member (RFC 1952 section 2.3): a fixed header, and a trailer that is
// counted while the rows go by.

import CZlib

/// Header and trailer of one member.
package struct GzipFrame: Sendable {
    /// No name, mtime 0 and OS 255 (unknown), so that the same rows give the same bytes on every machine and day.
    package static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// CRC-32 of all rows so far.
    package private(set) var crc: UInt32 = 0
    /// Bytes of all rows so far, modulo 2^32 as the format wants it.
    package private(set) var size: UInt32 = 0

    package init() {}

    package mutating func update(_ rows: UnsafeRawBufferPointer) {
        guard !rows.isEmpty else { return }
        crc = Libdeflate.shared?.crc32(crc, rows.baseAddress, rows.count) ?? zlibChecksum(crc, rows)
        size &+= UInt32(truncatingIfNeeded: rows.count)
    }

    /// CRC-32 and size, little-endian.
    package var trailer: [UInt8] {
        [crc, size].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    }
}

/// CRC-32 by zlib, about a tenth as fast as libdeflate's.
func zlibChecksum(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let base = bytes.baseAddress else { return crc }
    return sluice_crc32(crc, base, bytes.count)
}
