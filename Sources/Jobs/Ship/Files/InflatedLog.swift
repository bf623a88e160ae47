// The bytes of a log that was packed with gzip. They come front to back only: what lies before the place to go on at is
// unpacked and looked at, which also tells whether the file holds the log that is meant.
import Diagnostics
import Gzip

/// The log inside a gzip file, front to back.
final class InflatedLog {
    private static let skipBytes = 64 << 10

    private let source: SourceFile
    private var reader: GzipReader
    /// How much was unpacked.
    private var place = 0
    /// Handed out before and not taken.
    private var kept: [UInt8] = []

    init(_ source: SourceFile) throws(ShipError) {
        self.source = source
        reader = try Self.reader(source)
    }

    private static func reader(_ source: SourceFile) throws(ShipError) -> GzipReader {
        var place = 0
        do throws(GzipError) {
            return try GzipReader { (buffer) throws in
                let count = try source.read(at: place, into: buffer)
                place += count
                return count
            }
        } catch {
            throw ShipError("unpack", source.path, error.diagnostic.cause, exitCode: .temporary)
        }
    }

    /// The log that `position` speaks of, from `offset` on; nil when the file holds another one.
    convenience init?(_ source: SourceFile, of position: FilePosition, from offset: Int) throws(ShipError) {
        try self.init(source)
        guard try holds(position) else { return nil }
        if place > offset { try rewind() }
        guard try skip(offset - place) else { return nil }
    }

    private func rewind() throws(ShipError) {
        reader = try Self.reader(source)
        place = 0
    }

    /// True when the log begins with the position's head and has its tail before the offset. Most others fail at the
    /// head: then no more than that is unpacked. Asked once, of a log that nothing was taken of.
    func holds(_ position: FilePosition) throws(ShipError) -> Bool {
        var head: [UInt8] = []
        var tail: [UInt8] = []
        var seen = 0
        let look = { (bytes: UnsafeRawBufferPointer) in
            if head.count < position.head.bytes {
                head += bytes.dropFirst(max(0, position.headStart - seen)).prefix(position.head.bytes - head.count)
            }
            tail += bytes.prefix(max(0, position.offset - seen)).suffix(position.tail.bytes)
            if tail.count > position.tail.bytes { tail.removeFirst(tail.count - position.tail.bytes) }
            seen += bytes.count
        }
        // The head may reach beyond what was stored.
        let headEnd = position.headStart + position.head.bytes
        guard try skip(headEnd, look), Fingerprint(head) == position.head else { return false }
        return try skip(max(0, position.offset - headEnd), look) && Fingerprint(tail) == position.tail
    }

    /// Goes on by `count` bytes and shows them to `body`. False when the log ends before.
    func skip(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Void = { _ in }) throws(ShipError) -> Bool {
        var left = count
        var block = [UInt8](repeating: 0, count: Self.skipBytes)
        while left > 0 {
            let count = try inflate(&block, atMost: left)
            if count == 0 { return false }
            block.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            left -= count
        }
        return true
    }

    /// The first bytes that are not NUL.
    func head() throws(ShipError) -> LogHead {
        var head = LogHead()
        var block = [UInt8](repeating: 0, count: Self.skipBytes)
        while head.bytes.count < FilePosition.headBytesMax {
            let count = try inflate(&block, atMost: block.count)
            if count == 0 { break }
            if head.bytes.isEmpty {
                let first = block[..<count].firstIndex { $0 != 0 } ?? count
                head.start += first
                head.bytes += block[first..<count]
            } else {
                head.bytes += block[..<count]
            }
        }
        head.bytes = Array(head.bytes.prefix(FilePosition.headBytesMax))
        return head.bytes.isEmpty ? LogHead() : head
    }

    private func inflate(_ block: inout [UInt8], atMost count: Int) throws(ShipError) -> Int {
        let result: Result<Int, ShipError> = block.withUnsafeMutableBytes { buffer in
            Result { () throws(ShipError) in
                try self.inflate(UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(count, buffer.count)]))
            }
        }
        return try result.get()
    }

    private func inflate(_ buffer: UnsafeMutableRawBufferPointer) throws(ShipError) -> Int {
        do {
            let count = try reader.read(into: buffer)
            place += count
            return count
        } catch let error as ShipError {
            throw error
        } catch {
            var failure = ShipError(
                "unpack", source.path, "\((error as? GzipError)?.diagnostic.cause ?? "cannot be read")",
                hint: "if the file is still being compressed, the next run finds it whole", exitCode: .temporary)
            failure.isBadContent = true
            throw failure
        }
    }

    /// Kept bytes first, then new ones; fewer than `buffer` holds only at the end.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(ShipError) -> Int {
        kept.withUnsafeBytes { buffer.copyMemory(from: $0) }
        var filled = kept.count
        while filled < buffer.count {
            let count = try inflate(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        kept.removeAll(keepingCapacity: true)
        return filled
    }

    func keep(_ rest: UnsafeRawBufferPointer) { kept.append(contentsOf: rest) }
}
