// A gzip file read as a stream, for log files that were compressed when they were rotated. Memory is bounded whatever
// the file unpacks to. Every byte that can be unpacked is given before an error is.

import CZlib

/// Unpacks gzip data (RFC 1952) of one or more members. Belongs to one worker.
package final class GzipReader {
    private static let inputBytes = 64 << 10
    private static let skipBytes = 64 << 10

    /// The first byte of a member (RFC 1952 section 2.3.1).
    private static let memberMark: UInt8 = 0x1F

    private static let strangeTail = "bytes that are not gzip's follow the last member"

    private enum State {
        case start
        case member
        /// After the end of a member: another one, padding or the end.
        case between
        /// Zeros up to the end, as tapes and block devices leave them; gzip(1) takes no notice of them either.
        case padding
        case ended
        case failed(GzipError)
    }

    private let source: (UnsafeMutableRawBufferPointer) throws -> Int
    /// In its own allocation, because zlib remembers the address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private var state = State.start
    private var sourceHasEnded = false

    /// - Parameter source: puts the next bytes of the file into the buffer and gives their number, 0 at the end, after
    ///   which it is not called again. What it throws, `read` throws; the call may then be repeated.
    /// - Throws: `.engine` when zlib gets no memory.
    package init(_ source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) throws(GzipError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = sluice_inflate_init_gzip(stream)
        guard code == Z_OK else {
            stream.deallocate()
            throw .engine("set up decompression", code: code, message: "")
        }
        self.source = source
        self.stream = stream
        input = .allocate(byteCount: Self.inputBytes, alignment: 16)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    /// Puts the next unpacked bytes into `target`, which must not be empty, and gives their number; 0 at the end.
    ///
    /// - Throws: what the source throws; `GzipError` of kind `.cut` when the file ends too early, `.damaged` when it is
    ///   wrong or holds something else after its last member. Such an error comes again with every further call.
    package func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        precondition(!target.isEmpty, "a buffer without room would look like the end")
        // Ends: each round gives bytes, moves the state on, or takes more of the source.
        while true {
            switch state {
            case .start:
                guard try fill() else {
                    state = .failed(.cut(isEmpty: true))
                    continue
                }
                let isGzip = stream.pointee.next_in[0] == Self.memberMark
                state = isGzip ? .member : .failed(.damaged("the data is not gzip's"))
            case .member:
                let count = try inflateMember(into: target)
                if count > 0 { return count }
            case .between:
                guard try fill() else {
                    state = .ended
                    continue
                }
                switch stream.pointee.next_in[0] {
                case Self.memberMark:
                    inflateReset(stream)
                    state = .member
                case 0: state = .padding
                default: state = .failed(.damaged(Self.strangeTail))
                }
            case .padding:
                guard try fill() else {
                    state = .ended
                    continue
                }
                let rest = UnsafeBufferPointer(start: stream.pointee.next_in, count: Int(stream.pointee.avail_in))
                stream.pointee.avail_in = 0
                if rest.contains(where: { $0 != 0 }) {
                    state = .failed(.damaged(Self.strangeTail))
                }
            case .ended: return 0
            case .failed(let error): throw error
            }
        }
    }

    /// Passes over up to `count` unpacked bytes and gives how many: fewer only at the end. Throws as `read` does.
    @discardableResult
    package func skip(_ count: Int) throws -> Int {
        var skipped = 0
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.skipBytes, alignment: 16)
        defer { room.deallocate() }
        while skipped < count {
            let part = UnsafeMutableRawBufferPointer(rebasing: room.prefix(count - skipped))
            let found = try read(into: part)
            if found == 0 { break }
            skipped += found
        }
        return skipped
    }

    /// False when nothing is left of the source.
    private func fill() throws -> Bool {
        if stream.pointee.avail_in > 0 { return true }
        if sourceHasEnded { return false }
        let count = try source(input)
        precondition(count >= 0 && count <= input.count, "the source says how much it put into the buffer")
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
        sourceHasEnded = count == 0
        return count > 0
    }

    /// One step of zlib; gives the bytes that came out, and moves the state on when the member ends.
    private func inflateMember(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        let hasInput = try fill()
        // zlib counts in 32 bits.
        let room = min(target.count, 1 << 30)
        stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let code = inflate(stream, Z_NO_FLUSH)
        let count = room - Int(stream.pointee.avail_out)
        switch code {
        case Z_OK: break
        case Z_STREAM_END: state = .between
        case Z_BUF_ERROR:
            // Nothing could be done: zlib holds no output back, so without input this is the end of the file.
            if !hasInput { state = .failed(.cut(isEmpty: false)) }
        case Z_MEM_ERROR: state = .failed(.engine("decompress", code: code, message: ""))
        default: state = .failed(.damaged(zlibMessage(stream)))
        }
        return count
    }
}
