// A copy of a log that ends before the place up to which the log was shipped: `copytruncate` with a shipper that read on
// between copy and truncation. Nothing of it may be sent again, and no other log may be taken for one. Two things must
// agree: the bytes, as far as they were noted, and the time at which the file was changed last (`LogMarks`).

enum ShippedCopy {
    /// The position of `file`, shipped to its end, when it is such a copy of the log that `position` speaks of; nil when it
    /// is not, or when that is not certain.
    static func position(of file: ListedFile, _ position: FilePosition) -> FilePosition? {
        // The clock first: it costs nothing, and rules out all logs but those of that time.
        guard !position.isCompressed, position.marks.allowCopy(modified: file.facts.modified),
            let source = try? SourceFile(path: file.path), source.identity == file.facts.identity
        else { return nil }
        let isPacked = file.path.hasSuffix(RotationNames.gzipSuffix)
        let copy = try? isPacked ? unpacked(source, position) : plain(source, position)
        guard let copy, position.marks.allowCopy(length: copy.offset, modified: copy.modifiedSeen) else { return nil }
        return copy
    }

    /// The same for a copy of the first `length` bytes of a log that is still there, in `source`.
    static func position(
        of file: ListedFile, length: Int, _ position: FilePosition, _ source: SourceFile
    ) -> FilePosition? {
        guard length > position.headStart else { return nil }
        var copy = position.moved(to: file.facts)
        copy.isCompressed = file.path.hasSuffix(RotationNames.gzipSuffix)
        guard (try? copy.end(at: length, in: source)) != nil else { return nil }
        return copy
    }

    /// Places of the log up to which a copy is compared, and whether what stands before each is right.
    private struct Comparison {
        let position: FilePosition
        var count = 0

        /// False when the bytes before a mark are other bytes.
        mutating func take(_ mark: LogMark, _ before: [UInt8]) -> Bool {
            // NULs alone say nothing.
            if mark.offset > position.headStart { count += 1 }
            return mark.fits(before)
        }

        mutating func take(head: [UInt8]) -> Bool {
            count += 1
            return Fingerprint(head) == position.head
        }
    }

    private static func headEnd(_ position: FilePosition) -> Int? {
        position.head.bytes > 0 ? position.headStart + position.head.bytes : nil
    }

    private static func plain(_ source: SourceFile, _ position: FilePosition) throws(ShipError) -> FilePosition? {
        let length = source.facts.size
        guard length < position.offset else { return nil }
        var comparison = Comparison(position: position)
        if let headEnd = headEnd(position), headEnd <= length {
            let head = try source.bytes(at: position.headStart, count: position.head.bytes)
            guard comparison.take(head: head) else { return nil }
        }
        for mark in position.marks.marks where mark.offset <= length {
            let count = min(mark.offset, LogMark.bytesMax)
            guard comparison.take(mark, try source.bytes(at: mark.offset - count, count: count)) else { return nil }
        }
        guard comparison.count > 0 else { return nil }
        var copy = position.moved(to: source.facts)
        try copy.end(at: length, in: source)
        return copy
    }

    private static func unpacked(_ source: SourceFile, _ position: FilePosition) throws(ShipError) -> FilePosition? {
        let log = try InflatedLog(source)
        var comparison = Comparison(position: position)
        var (seen, head, before): (Int, [UInt8], [UInt8]) = (0, [], [])
        let look = { (bytes: UnsafeRawBufferPointer) in
            if head.count < position.head.bytes {
                head += bytes.dropFirst(max(0, position.headStart - seen)).prefix(position.head.bytes - head.count)
            }
            before = (before + bytes.suffix(LogMark.bytesMax)).suffix(LogMark.bytesMax)
            seen += bytes.count
        }
        for mark in position.marks.marks where mark.offset <= position.offset {
            guard try log.skip(mark.offset - seen, look) else { break }
            guard comparison.take(mark, before) else { return nil }
        }
        // It must end before the place up to which the log was shipped.
        guard try !log.skip(position.offset - seen, look) else { return nil }
        if let headEnd = headEnd(position), headEnd <= seen {
            guard comparison.take(head: head) else { return nil }
        }
        guard comparison.count > 0 else { return nil }
        var copy = position.moved(to: source.facts)
        copy.isCompressed = true
        (copy.offset, copy.head, copy.tail) = (seen, Fingerprint(head), Fingerprint([]))
        return copy
    }
}

extension FilePosition {
    /// The position of another form of this log, which is shipped to its end.
    fileprivate func moved(to facts: FileFacts) -> FilePosition {
        var moved = self
        (moved.device, moved.inode) = (facts.device, facts.inode)
        (moved.sizeSeen, moved.modifiedSeen) = (facts.size, facts.modified)
        moved.marks = LogMarks()
        moved.absentSince = 0
        moved.isFinished = true
        return moved
    }

    /// - Parameter source: holds the first `length` bytes of the log, at least.
    fileprivate mutating func end(at length: Int, in source: SourceFile) throws(ShipError) {
        offset = length
        let headBytes = max(0, min(FilePosition.headBytesMax, length - headStart))
        head = Fingerprint(try source.bytes(at: headStart, count: headBytes))
        let tailBytes = isCompressed ? 0 : min(length, FilePosition.tailBytesMax)
        tail = Fingerprint(try source.bytes(at: length - tailBytes, count: tailBytes))
    }
}
