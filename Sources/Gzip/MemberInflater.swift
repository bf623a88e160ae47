// One gzip member, unpacked piece by piece as it comes in: memory does not grow with the member.

import CZlib

/// Not Sendable: it belongs to the reader of one object.
package final class MemberInflater {
    private static let scratchBytes = 64 << 10

    /// In its own allocation, because zlib remembers the address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let scratch: UnsafeMutableRawBufferPointer
    /// True once the member's trailer has been checked.
    package private(set) var hasEnded = false

    /// - Throws: `.engine` when zlib gets no memory.
    package init() throws(GzipError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = sluice_inflate_init_gzip(stream)
        guard code == Z_OK else {
            stream.deallocate()
            throw .engine("set up decompression", code: code, message: "")
        }
        self.stream = stream
        scratch = .allocate(byteCount: Self.scratchBytes, alignment: 16)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        scratch.deallocate()
    }

    /// Takes the next bytes of the member and gives what they unpack to, 64 KiB at most at a time.
    ///
    /// - Throws: `.damaged` for wrong data, a wrong checksum (RFC 1952 section 2.3.1) and bytes after the member; what
    ///   `each` throws.
    package func unpack(_ input: UnsafeRawBufferPointer, each: (UnsafeRawBufferPointer) throws -> Void) throws {
        var next = 0
        // zlib counts in 32 bits.
        while next < input.count {
            guard !hasEnded else { throw GzipError.damaged("bytes follow the end of the gzip member") }
            let part = UnsafeRawBufferPointer(rebasing: input[next..<min(input.count, next + (1 << 30))])
            next += try pump(part, each)
        }
    }

    /// - Throws: `.damaged` when the member's end has not come.
    package func finish() throws(GzipError) {
        guard hasEnded else { throw .damaged("the data ends before the gzip member does") }
    }

    /// - Returns: how many bytes were taken.
    private func pump(_ part: UnsafeRawBufferPointer, _ each: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
        // zlib only reads from next_in; its C type lacks the const.
        let input = UnsafeMutableRawPointer(mutating: part.baseAddress)
        stream.pointee.next_in = input?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(part.count)
        let output = scratch.bindMemory(to: UInt8.self)
        // Ends: each round takes input or gives output, and zlib says when it can do neither.
        repeat {
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            let code = inflate(stream, Z_NO_FLUSH)
            let count = output.count - Int(stream.pointee.avail_out)
            if count > 0 { try each(UnsafeRawBufferPointer(rebasing: scratch[0..<count])) }
            switch code {
            case Z_STREAM_END:
                hasEnded = true
                return part.count - Int(stream.pointee.avail_in)
            case Z_OK: break
            // Nothing left to do with what has come in so far.
            case Z_BUF_ERROR: return part.count
            case Z_MEM_ERROR: throw GzipError.engine("decompress", code: code, message: "")
            default: throw GzipError.damaged(zlibMessage(stream))
            }
        } while stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0
        return part.count
    }
}
