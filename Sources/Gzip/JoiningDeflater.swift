// Chunks through libdeflate, which takes whole buffers only and always ends with a final block. To join its streams in
// one gzip member, the mark of the final block is taken away: `BlockScan` finds it by reading the stream as a reader
// would, and an empty stored block brings the end to a byte boundary, as Z_SYNC_FLUSH does (RFC 1951 section 3.2.4).

/// The compressor of one worker; not Sendable.
final class JoiningDeflater: ChunkCompressor {
    let engine = Libdeflate.name
    /// Each chunk is a stream of its own: nothing before it is referred to.
    let dictionaryBytesMax = 0

    private let library: Libdeflate
    private let compressor: OpaquePointer
    private let scan = BlockScan()
    private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    init(level: Int, library: Libdeflate) throws(GzipError) {
        guard (1...9).contains(level) else { throw .level(level) }
        guard let compressor = library.alloc(CInt(level)) else { throw .memory(Libdeflate.name) }
        self.library = library
        self.compressor = compressor
    }

    deinit {
        library.free(compressor)
        scratch.deallocate()
    }

    func deflate(
        _ chunk: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer, isLast: Bool, into out: inout [UInt8]
    ) throws(GzipError) {
        guard !chunk.isEmpty else {
            // A final block of fixed codes with nothing but its end (RFC 1951 section 3.2.6).
            if isLast { out.append(contentsOf: [3, 0]) }
            return
        }
        let room = library.bound(compressor, chunk.count) + BlockScan.slack
        if scratch.count < room {
            scratch.deallocate()
            scratch = .allocate(byteCount: room, alignment: 16)
        }
        let count = library.compress(
            compressor, chunk.baseAddress, chunk.count, scratch.baseAddress, room - BlockScan.slack)
        guard count > 0 else { throw .broken("libdeflate made nothing of \(chunk.count) bytes") }
        if isLast { return out.append(contentsOf: scratch[0..<count]) }
        guard let found = scan.lastBlock(of: UnsafeRawBufferPointer(scratch), count: count),
            found.unpackedBytes == chunk.count, (found.end + 7) / 8 == count
        else { throw .broken("what libdeflate made of \(chunk.count) bytes is not one deflate stream") }
        // The mark of the final block is the first bit of its header (RFC 1951 section 3.2.3).
        scratch[found.start / 8] &= ~(1 << UInt8(found.start % 8))
        out.append(contentsOf: scratch[0..<count])
        // Header of a stored block: three bits of 0, then zeros up to the next byte. The bits after the end are zeros
        // already when the library leaves them so; a reader would take anything else for a header.
        if found.end % 8 != 0 { out[out.count - 1] &= (1 << UInt8(found.end % 8)) - 1 }
        if (found.end + 3 + 7) / 8 > count { out.append(0) }
        out.append(contentsOf: [0, 0, 0xFF, 0xFF])
    }
}
