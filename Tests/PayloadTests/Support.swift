// Cases from files, payloads made by hand.

import Foundation
import Gzip

@testable import Records

let dataFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Data")

/// One user record as it comes out of the unpacker.
struct Unpacked: Equatable {
    var data: [UInt8]
    var partitionKey: [UInt8]
}

func unpack(_ payload: [UInt8], partitionKey: String = "OUTER") throws -> [Unpacked] {
    var unpacker = PayloadUnpacker()
    return try unpack(payload, partitionKey: partitionKey, with: &unpacker)
}

func unpack(
    _ payload: [UInt8], partitionKey: String = "OUTER", with unpacker: inout PayloadUnpacker
) throws -> [Unpacked] {
    var records: [Unpacked] = []
    let key = Array(partitionKey.utf8)
    try payload.withUnsafeBytes { payload in
        try key.withUnsafeBytes { key in
            try unpacker.unpack(payload, partitionKey: key) { record, recordKey, index in
                if index != records.count { throw WrongIndex(index: index) }
                records.append(Unpacked(data: Array(record), partitionKey: Array(recordKey)))
            }
        }
    }
    return records
}

struct WrongIndex: Error {
    let index: Int
}

func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
    var frame = GzipFrame()
    bytes.withUnsafeBytes { frame.update($0) }
    return GzipFrame.header + (try rawDeflate(bytes)) + frame.trailer
}

/// RFC 1950: header, deflate data, Adler-32.
func zlibbed(_ bytes: [UInt8]) throws -> [UInt8] {
    var a: UInt32 = 1
    var b: UInt32 = 0
    for byte in bytes {
        a = (a + UInt32(byte)) % 65_521
        b = (b + a) % 65_521
    }
    let sum = b << 16 | a
    return [0x78, 0x9C] + (try rawDeflate(bytes)) + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - $0 * 8)) }
}

private func rawDeflate(_ bytes: [UInt8]) throws -> [UInt8] {
    var out: [UInt8] = []
    try bytes.withUnsafeBytes {
        try ChunkDeflater(level: 6).deflate($0, dictionary: .init(start: nil, count: 0), isLast: true, into: &out)
    }
    return out
}
