// Raw deflate, one chunk at a time. The state of zlib (268 KB) is reset for each chunk and the bytes before the chunk
// are given back to it as a dictionary, so one state serves any number of members that grow side by side (pigz's scheme).
// Same zlib, same level, same chunks: same bytes.

import CZlib

/// The compressor of one worker; not Sendable.
package final class ChunkDeflater: ChunkCompressor {
    /// How far back deflate may refer (RFC 1951 section 2); of a longer dictionary only the end is used.
    package static let dictionaryBytesMax = 32 << 10
    package let engine = zlibName
    package var dictionaryBytesMax: Int { Self.dictionaryBytesMax }
    /// zlib's own default. 9 takes a fifth more time on rows and saves nothing (measured at chunks of 128 KiB).
    private static let memoryLevel: Int32 = 8
    private static let scratchBytes = 64 << 10

    /// In its own allocation, because zlib remembers the address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let scratch: UnsafeMutableRawBufferPointer

    /// - Throws: `.level` unless the level is 1 to 9, `.engine` when zlib gets no memory.
    package init(level: Int) throws(GzipError) {
        guard (1...9).contains(level) else { throw .level(level) }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = sluice_deflate_init_raw(stream, Int32(level), Self.memoryLevel)
        guard code == Z_OK else {
            stream.deallocate()
            throw .engine("set up gzip", code: code, message: "")
        }
        self.stream = stream
        scratch = .allocate(byteCount: Self.scratchBytes, alignment: 16)
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        scratch.deallocate()
    }

    /// Chunks end with Z_SYNC_FLUSH, the last one with Z_FINISH.
    package func deflate(
        _ chunk: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer, isLast: Bool, into out: inout [UInt8]
    ) throws(GzipError) {
        guard isLast || !chunk.isEmpty else { return }
        try check(deflateReset(stream))
        if !dictionary.isEmpty {
            let tail = dictionary.suffix(Self.dictionaryBytesMax)
            let bytes = UnsafeRawBufferPointer(rebasing: tail).bindMemory(to: UInt8.self)
            try check(deflateSetDictionary(stream, bytes.baseAddress, UInt32(bytes.count)))
        }
        var rest = chunk
        repeat {
            // zlib counts in 32 bits.
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
            let flush = rest.isEmpty ? (isLast ? Z_FINISH : Z_SYNC_FLUSH) : Z_NO_FLUSH
            try pump(part, flush: flush, into: &out)
        } while !rest.isEmpty
    }

    private func pump(_ part: UnsafeRawBufferPointer, flush: Int32, into out: inout [UInt8]) throws(GzipError) {
        // zlib only reads from next_in; its C type lacks the const.
        let input = UnsafeMutableRawPointer(mutating: part.baseAddress)
        stream.pointee.next_in = input?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(part.count)
        let output = scratch.bindMemory(to: UInt8.self)
        // Ends: each round either fills the scratch buffer or leaves room in it, and then all is flushed.
        repeat {
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            let code = CZlib.deflate(stream, flush)
            // Z_BUF_ERROR: the round before ended exactly at the end of the buffer, nothing was left to do.
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
                throw .engine("compress", code: code, message: zlibMessage(stream))
            }
            out.append(contentsOf: output.prefix(output.count - Int(stream.pointee.avail_out)))
            if code == Z_STREAM_END { return }
        } while stream.pointee.avail_out == 0
        guard flush != Z_FINISH, stream.pointee.avail_in == 0 else {
            throw .engine("compress", code: Z_BUF_ERROR, message: "with input left")
        }
    }

    private func check(_ code: Int32) throws(GzipError) {
        guard code == Z_OK else { throw .engine("compress", code: code, message: zlibMessage(stream)) }
    }
}

/// The library and its version at run time.
let zlibName = "zlib " + String(cString: zlibVersion())

func zlibMessage(_ stream: UnsafeMutablePointer<z_stream>) -> String {
    stream.pointee.msg.map { String(cString: $0) } ?? ""
}
