// Whole buffers out of gzip and zlib. The input may come from anybody: every output byte is counted against two limits
// before it is kept, and anything but whole, valid members is an error.

import CZlib

package enum Inflate {
    /// Output up to here never counts as a bomb, whatever the ratio: a short payload of equal lines packs very well.
    package static let ratioFreeBytes = 1 << 20
    private static let scratchBytes = 64 << 10

    /// Unpacks gzip data (RFC 1952): one member, or several one after the other.
    ///
    /// - Parameters:
    ///   - limit: most output bytes.
    ///   - ratioLimit: most output bytes for each input byte, once the output passes `ratioFreeBytes`.
    /// - Throws: `.damaged` for a cut or wrong member or bytes after the last one, `.tooLarge`, `.ratio`, `.engine`.
    package static func gzip(
        _ input: UnsafeRawBufferPointer, limit: Int, ratioLimit: Int
    ) throws(GzipError) -> [UInt8] {
        var out: [UInt8] = []
        try gzip(input, limit: limit, ratioLimit: ratioLimit, into: &out)
        return out
    }

    /// Unpacks one zlib stream (RFC 1950) that fills the whole input; limits and errors as for `gzip`.
    package static func zlib(
        _ input: UnsafeRawBufferPointer, limit: Int, ratioLimit: Int
    ) throws(GzipError) -> [UInt8] {
        var out: [UInt8] = []
        try zlib(input, limit: limit, ratioLimit: ratioLimit, into: &out)
        return out
    }

    /// As `gzip`, appending to a buffer that the caller uses again; after an error its content has no meaning.
    package static func gzip(
        _ input: UnsafeRawBufferPointer, limit: Int, ratioLimit: Int, into out: inout [UInt8]
    ) throws(GzipError) {
        var run = try InflateRun(limit: limit, ratioLimit: ratioLimit, isGzip: true, inputBytes: input.count)
        defer { run.close() }
        try run.unpack(input, into: &out)
    }

    /// As `zlib`, appending to a buffer that the caller uses again; after an error its content has no meaning.
    package static func zlib(
        _ input: UnsafeRawBufferPointer, limit: Int, ratioLimit: Int, into out: inout [UInt8]
    ) throws(GzipError) {
        var run = try InflateRun(limit: limit, ratioLimit: ratioLimit, isGzip: false, inputBytes: input.count)
        defer { run.close() }
        try run.unpack(input, into: &out)
    }

    private struct InflateRun: ~Copyable {
        private let stream: UnsafeMutablePointer<z_stream>
        private let scratch: UnsafeMutableRawBufferPointer
        private let isGzip: Bool
        private let limit: Int
        private let ratioLimit: Int
        private let bytesByRatio: Int
        private var produced = 0

        init(limit: Int, ratioLimit: Int, isGzip: Bool, inputBytes: Int) throws(GzipError) {
            stream = .allocate(capacity: 1)
            stream.initialize(to: z_stream())
            let code = isGzip ? sluice_inflate_init_gzip(stream) : sluice_inflate_init_zlib(stream)
            guard code == Z_OK else {
                stream.deallocate()
                throw .engine("set up decompression", code: code, message: "")
            }
            scratch = .allocate(byteCount: Inflate.scratchBytes, alignment: 16)
            self.isGzip = isGzip
            self.limit = limit
            self.ratioLimit = ratioLimit
            let (product, overflow) = inputBytes.multipliedReportingOverflow(by: ratioLimit)
            bytesByRatio = max(Inflate.ratioFreeBytes, overflow ? .max : product)
        }

        mutating func close() {
            inflateEnd(stream)
            stream.deallocate()
            scratch.deallocate()
        }

        /// zlib counts in 32 bits, so the input goes in by parts.
        mutating func unpack(_ input: UnsafeRawBufferPointer, into out: inout [UInt8]) throws(GzipError) {
            guard !input.isEmpty else { throw .damaged("there is no data") }
            var next = 0
            var hasEnded = false
            let output = scratch.bindMemory(to: UInt8.self)
            while true {
                if stream.pointee.avail_in == 0, next < input.count {
                    let part = UnsafeRawBufferPointer(rebasing: input[next..<min(input.count, next + (1 << 30))])
                    // zlib only reads from next_in; its C type lacks the const.
                    let bytes = UnsafeMutableRawPointer(mutating: part.baseAddress)
                    stream.pointee.next_in = bytes?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_in = UInt32(part.count)
                    next += part.count
                }
                if hasEnded {
                    if stream.pointee.avail_in == 0 { return }
                    guard isGzip else { throw .damaged("bytes follow the end of the stream") }
                    inflateReset(stream)
                    hasEnded = false
                }
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                let code = inflate(stream, Z_NO_FLUSH)
                let count = output.count - Int(stream.pointee.avail_out)
                produced += count
                guard produced <= limit else { throw .tooLarge(limit: limit) }
                guard produced <= bytesByRatio else { throw .ratio(limit: ratioLimit) }
                out.append(contentsOf: output.prefix(count))
                switch code {
                case Z_STREAM_END: hasEnded = true
                case Z_OK: break
                case Z_BUF_ERROR: throw .damaged("the data ends too early")
                case Z_MEM_ERROR: throw .engine("decompress", code: code, message: "")
                case Z_NEED_DICT: throw .damaged("the data needs a dictionary that nobody has")
                default: throw .damaged(zlibMessage(stream))
                }
            }
        }
    }
}
