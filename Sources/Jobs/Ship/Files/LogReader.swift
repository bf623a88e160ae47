// The bytes of a log, from a plain file or from its gzip form, by their place in the log. What must stay true: bytes
// that were framed once are the bytes before the place that is read next; when they are not, the file was truncated or
// replaced, and that is found out before a byte is taken.
import Diagnostics
import Glibc
import Gzip

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
            let log = try InflatedLog(source)
            do throws(ShipError) {
                guard try log.skip(to: offset) else { return nil }
            } catch {
                // Another file may have its inode now.
                guard error.isBadContent else { throw error }
                return nil
            }
            inflated = log
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

/// The log inside a gzip file, front to back.
final class InflatedLog {
    private static let skipBytes = 64 << 10

    private let source: SourceFile
    private let reader: GzipReader
    /// Handed out before and not taken.
    private var kept: [UInt8] = []

    init(_ source: SourceFile) throws(ShipError) {
        self.source = source
        var place = 0
        do throws(GzipError) {
            reader = try GzipReader { (buffer) throws in
                let count = try source.read(at: place, into: buffer)
                place += count
                return count
            }
        } catch {
            throw ShipError("unpack", source.path, error.diagnostic.cause, exitCode: .temporary)
        }
    }

    /// False when the log ends before `offset`. Gives the last bytes before it to `tail`.
    func skip(to offset: Int, tail: (UnsafeRawBufferPointer) -> Void = { _ in }) throws(ShipError) -> Bool {
        var left = offset
        var block = [UInt8](repeating: 0, count: Self.skipBytes)
        while left > 0 {
            let count = try inflate(&block, atMost: left)
            if count == 0 { return false }
            block.withUnsafeBytes { tail(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
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
            return try reader.read(into: buffer)
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
