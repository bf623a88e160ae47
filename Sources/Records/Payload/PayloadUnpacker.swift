// From what Kinesis stores to what a producer sent: first the KPL's aggregation, then, once for each user record,
// gzip or zlib. What does not unpack cleanly is passed on as it came: nothing is dropped and nothing is guessed.

import Gzip

/// Unpacks payloads one after the other with the same buffers; belongs to one worker.
package struct PayloadUnpacker {
    /// Most bytes that one compressed user record may unpack to; a larger one stays compressed.
    package static let unpackedBytesMax = 64 << 20
    /// Most output bytes for each input byte (beyond `Inflate.ratioFreeBytes`); above it is a decompression bomb.
    package static let unpackRatioMax = 100
    /// A buffer that one large record made is given back.
    private static let keptBufferBytesMax = 4 << 20

    private var aggregate = KPLAggregate()
    private var unpacked: [UInt8] = []

    package init() {}

    /// Calls `each` for every user record of `payload`, in order: all of an aggregate, or the payload itself.
    ///
    /// - Parameters:
    ///   - partitionKey: the record's own; an aggregate's user records bring theirs.
    ///   - each: gets the user record, its partition key and its index. The bytes are valid inside the call only.
    ///     An aggregate without user records makes no call.
    /// - Throws: what `each` throws, and `GzipError` of kind `.engine` when zlib gets no memory: then nobody can say
    ///   what the record holds. Bad data throws nothing.
    package mutating func unpack(
        _ payload: UnsafeRawBufferPointer, partitionKey: UnsafeRawBufferPointer,
        each: (_ userRecord: UnsafeRawBufferPointer, _ partitionKey: UnsafeRawBufferPointer, _ index: Int) throws ->
            Void
    ) throws {
        var unpacked = unpacked
        self.unpacked = []
        defer { if unpacked.capacity <= Self.keptBufferBytesMax { self.unpacked = unpacked } }
        let isAggregate = try aggregate.read(payload) { record, index in
            let data = UnsafeRawBufferPointer(rebasing: payload[record.data])
            let key = UnsafeRawBufferPointer(rebasing: payload[record.partitionKey])
            try Self.decompress(data, with: &unpacked) { try each($0, key, index) }
        }
        guard !isAggregate else { return }
        try Self.decompress(payload, with: &unpacked) { try each($0, partitionKey, 0) }
    }

    private static func decompress(
        _ record: UnsafeRawBufferPointer, with buffer: inout [UInt8], body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let format = Compression(of: record) else { return try body(record) }
        buffer.removeAll(keepingCapacity: true)
        guard try inflate(record, format, into: &buffer) else { return try body(record) }
        try buffer.withUnsafeBytes { try body($0) }
    }

    /// False when the record is damaged, or larger unpacked than the limits allow.
    private static func inflate(
        _ record: UnsafeRawBufferPointer, _ format: Compression, into buffer: inout [UInt8]
    ) throws(GzipError) -> Bool {
        do {
            switch format {
            case .gzip: try Inflate.gzip(record, limit: unpackedBytesMax, ratioLimit: unpackRatioMax, into: &buffer)
            case .zlib: try Inflate.zlib(record, limit: unpackedBytesMax, ratioLimit: unpackRatioMax, into: &buffer)
            }
            return true
        } catch  where error.kind != .engine {
            return false
        }
    }

    private enum Compression {
        case gzip
        case zlib

        /// By the first two bytes: RFC 1952 section 2.3.1, RFC 1950 section 2.2. A text may begin like zlib data
        /// (`x^`), so only unpacking all of it to the checksum decides.
        init?(of record: UnsafeRawBufferPointer) {
            guard record.count > 2 else { return nil }
            let (first, second) = (record[0], record[1])
            if first == 0x1F, second == 0x8B {
                self = .gzip
            } else if first & 0x0F == 8, first >> 4 <= 7, (Int(first) << 8 | Int(second)) % 31 == 0 {
                self = .zlib
            } else {
                return nil
            }
        }
    }
}
