// The bytes of a log, from a plain file or from its gzip form, by their place in the log. What must stay true: bytes
// that were framed once are the bytes before the place that is read next; when they are not, the file was truncated or
// replaced, and that is found out before a byte is taken.
import Diagnostics
import Glibc

/// What a look at the next bytes gave.
enum LogChunk: Equatable {
    /// So many bytes; `isAtEnd` when the file holds no more now.
    case bytes(Int, isAtEnd: Bool)
    case truncated
    case replaced
}

final class LogReader {
    /// So many bytes before the next place are compared on each read.
    static let guardBytesMax = 64

    let source: SourceFile
    /// Nil for a plain file.
    private var inflated: InflatedLog?
    /// Everything before was framed.
    private(set) var offset: Int
    /// The last bytes before `offset`.
    private(set) var guardBytes: [UInt8] = []

    /// The first bytes, which are compared as long as nothing but NULs was framed.
    private var expected = LogHead()

    /// Nil when the file does not hold what `position` says of it.
    init?(source: SourceFile, position: FilePosition, offset: Int) throws(ShipError) {
        self.source = source
        self.offset = offset
        if position.isCompressed {
            do throws(ShipError) {
                guard let log = try InflatedLog(source, of: position, from: offset) else { return nil }
                inflated = log
            } catch {
                // Another file may have its inode now.
                guard error.isBadContent else { throw error }
                return nil
            }
            return
        }
        let head = try source.bytes(at: position.headStart, count: position.head.bytes)
        guard Fingerprint(head) == position.head else { return nil }
        let count = min(offset, FilePosition.tailBytesMax)
        let before = try source.bytes(at: offset - count, count: count)
        guard before.count == count else { return nil }
        if offset == position.offset, Fingerprint(before.suffix(position.tail.bytes)) != position.tail { return nil }
        guardBytes = Array(before.suffix(Self.guardBytesMax))
        if offset <= position.headStart { expected = LogHead(start: position.headStart, bytes: head) }
    }

    var isCompressed: Bool { inflated != nil }
    /// What the first bytes were when the log was identified: nothing was framed yet.
    func expect(_ head: LogHead) { if offset <= head.start, inflated == nil { expected = head } }

    /// True when the bytes before `offset` are still there: nothing was truncated or replaced up to now.
    func isUnchanged() throws(ShipError) -> Bool {
        guard inflated == nil else { return true }
        guard try hasExpectedHead() else { return false }
        return try source.bytes(at: offset - guardBytes.count, count: guardBytes.count) == guardBytes
    }

    /// NULs before `offset` say nothing: then the log's first bytes must be the same.
    private func hasExpectedHead() throws(ShipError) -> Bool {
        guard offset <= expected.start, !expected.bytes.isEmpty else { return true }
        return try source.bytes(at: expected.start, count: expected.bytes.count) == expected.bytes
    }

    /// Gives the bytes from `offset` on to `body`, which says how many of them it took. At most the size of `buffer`.
    func read(
        _ buffer: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer, _ isAtEnd: Bool) throws -> Int
    ) throws -> LogChunk {
        if let inflated {
            let count = try inflated.fill(buffer)
            let isAtEnd = count < buffer.count
            let taken = try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]), isAtEnd)
            inflated.keep(UnsafeRawBufferPointer(rebasing: buffer[taken..<count]))
            offset += taken
            return .bytes(count, isAtEnd: isAtEnd)
        }
        let before = guardBytes.count
        let filled = try source.read(at: offset - before, into: buffer)
        guard filled >= before else { return .truncated }
        guard buffer[..<before].elementsEqual(guardBytes) else { return .replaced }
        let isAtEnd = filled < buffer.count
        let fresh = UnsafeRawBufferPointer(rebasing: buffer[before..<filled])
        guard try hasExpectedHead() else { return .replaced }
        let taken = try body(fresh, isAtEnd)
        if taken > 0 {
            offset += taken
            guardBytes = Array(buffer[max(0, before + taken - Self.guardBytesMax)..<before + taken])
        }
        return .bytes(fresh.count, isAtEnd: isAtEnd)
    }

    /// What position could be taken up here again: the fingerprint of the bytes before `place`, which must have been
    /// framed. Gzip data cannot be read backwards; its identity is the file's own.
    func tail(before place: Int) throws(ShipError) -> Fingerprint {
        guard inflated == nil else { return Fingerprint([]) }
        let count = min(place, FilePosition.tailBytesMax)
        return Fingerprint(try source.bytes(at: place - count, count: count))
    }
}
