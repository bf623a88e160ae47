// Where a deflate stream's last block lies, told by BlockScan and by zlib, which stops at each block when it is asked to.

import CZlib
import Testing

@testable import Gzip

@Suite struct BlockScanTests {
    /// The stream with room behind it that must not matter.
    private func scan(_ stream: [UInt8]) -> BlockScan.LastBlock? {
        (stream + [UInt8](repeating: 0xFF, count: BlockScan.slack)).withUnsafeBytes {
            BlockScan().lastBlock(of: $0, count: stream.count)
        }
    }

    /// Raw deflate by zlib; more levels and strategies than the archiver uses, so that every kind of block occurs.
    private func deflated(_ bytes: [UInt8], level: Int32, strategy: Int32) throws -> [UInt8] {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        try #require(deflateInit2_(&stream, level, Z_DEFLATED, -15, 8, strategy, zlibVersion(), size) == Z_OK)
        defer { deflateEnd(&stream) }
        var out = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 64)
        var input = bytes
        let count = try input.withUnsafeMutableBufferPointer { from in
            try out.withUnsafeMutableBufferPointer { to in
                stream.next_in = from.baseAddress
                stream.avail_in = UInt32(from.count)
                stream.next_out = to.baseAddress
                stream.avail_out = UInt32(to.count)
                try #require(deflate(&stream, Z_FINISH) == Z_STREAM_END)
                return to.count - Int(stream.avail_out)
            }
        }
        return Array(out.prefix(count))
    }

    /// By zlib: Z_BLOCK stops behind each block, and `data_type` tells the bits left over and whether it was the last.
    private func truth(_ bytes: [UInt8], unpackedBytes: Int) throws -> BlockScan.LastBlock {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        try #require(inflateInit2_(&stream, -15, zlibVersion(), size) == Z_OK)
        defer { inflateEnd(&stream) }
        var out = [UInt8](repeating: 0, count: unpackedBytes + 1)
        var input = bytes
        return try input.withUnsafeMutableBufferPointer { from in
            try out.withUnsafeMutableBufferPointer { to in
                stream.next_in = from.baseAddress
                stream.avail_in = UInt32(from.count)
                stream.next_out = to.baseAddress
                stream.avail_out = UInt32(to.count)
                var (start, end) = (0, 0)
                // Ends: each round passes a block, and an error is required away.
                while true {
                    let code = inflate(&stream, Z_BLOCK)
                    try #require(code == Z_OK || code == Z_STREAM_END)
                    let at = (from.count - Int(stream.avail_in)) * 8 - Int(stream.data_type & 7)
                    if stream.data_type & 128 != 0, stream.data_type & 64 == 0 { start = at }
                    if code == Z_STREAM_END || stream.data_type & 192 == 192 {
                        end = at
                        break
                    }
                }
                return BlockScan.LastBlock(
                    start: start, end: end, unpackedBytes: to.count - Int(stream.avail_out))
            }
        }
    }

    @Test(arguments: [0, 1, 4, 6, 9], [Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED])
    func streamsOfZlibAreReadAsZlibReadsThem(level: Int, strategy: Int32) throws {
        let rows = try sampleRows()
        for count in [0, 1, 5, 300, 40_000, rows.count] {
            let part = Array(rows.prefix(count))
            let stream = try deflated(part, level: Int32(level), strategy: strategy)
            #expect(scan(stream) == (try truth(stream, unpackedBytes: count)))
        }
    }

    @Test func noiseAndLongRunsAreReadAsZlibReadsThem() throws {
        var random = SplitMix(seed: 11)
        for round in 0..<300 {
            // Few different bytes give short codes, many of unequal frequency give codes of up to 15 bits.
            let kinds = UInt64(1 + round % 256)
            let count = Int(random.next() % 60_000)
            let bytes = (0..<count).map { _ in
                let value = random.next()
                return UInt8(truncatingIfNeeded: ((value >> 8) % kinds) >> (value % 8))
            }
            let stream = try deflated(bytes, level: Int32(1 + round % 9), strategy: Z_DEFAULT_STRATEGY)
            #expect(scan(stream) == (try truth(stream, unpackedBytes: count)), "round \(round)")
        }
    }

    @Test func cutStreamHasNoLastBlock() throws {
        let stream = try deflated(try sampleRows(), level: 6, strategy: Z_DEFAULT_STRATEGY)
        #expect(scan([]) == nil)
        for cut in stride(from: 1, to: stream.count, by: 97) { #expect(scan(Array(stream.prefix(cut))) == nil) }
        #expect(scan(Array(stream.dropLast())) == nil)
    }

    /// Whatever the bytes are, reading ends and stays within them.
    @Test func damagedStreamIsRefusedOrReadToItsEnd() throws {
        let whole = try deflated(Array(try sampleRows().prefix(60_000)), level: 6, strategy: Z_DEFAULT_STRATEGY)
        var random = SplitMix(seed: 12)
        for _ in 0..<2_000 {
            var stream = whole
            for _ in 0..<3 {
                stream[Int(random.next() % UInt64(stream.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if let found = scan(stream) {
                #expect(found.start < found.end && found.end <= stream.count * 8)
            }
        }
    }
}
