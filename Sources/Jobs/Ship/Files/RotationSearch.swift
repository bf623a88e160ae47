// Finds where a log went on after its path leads to other content: renamed, copied or compressed. What must stay true:
// a file is taken for the continuation only when the bytes say so, so that nothing is sent twice and nothing is skipped.
import Gzip

/// Where a log goes on.
struct Continuation {
    var source: SourceFile
    var path: String
    var isCompressed: Bool
}

struct RotationSearch {
    /// Candidates whose content is compared for one position.
    static let comparisonsMax = 64
    /// Clocks of file systems differ by less.
    private static let clockSlackNanoseconds = 2_000_000_000

    /// Rotated forms of the log that are not known to be something else, oldest change first.
    let candidates: [ListedFile]

    /// The file that holds what `position` speaks of, and more: the same inode under another name, else a copy.
    func continuation(of position: FilePosition) -> Continuation? {
        if let renamed = candidates.first(where: { $0.facts.identity == position.identity }),
            let found = Self.open(renamed, as: position)
        {
            return found
        }
        guard position.head.bytes > 0 else { return nil }
        let earliest = position.modifiedSeen - Self.clockSlackNanoseconds
        let copies = candidates.filter {
            $0.facts.identity != position.identity && $0.facts.modified >= earliest
        }
        return copies.suffix(Self.comparisonsMax).reversed().lazy.compactMap { Self.open($0, as: position) }.first
    }

    /// True when enough was read of a log to be sure that `file` holds it.
    static func recognises(_ file: ListedFile, _ position: FilePosition) -> Bool {
        max(position.offset, position.head.bytes) >= LogComparison.comparedBytesMin && open(file, as: position) != nil
    }

    /// The file as continuation of `position`; nil when its content is other content, or cannot be read.
    static func open(_ file: ListedFile, as position: FilePosition) -> Continuation? {
        guard let source = try? SourceFile(path: file.path) else { return nil }
        if file.path.hasSuffix(RotationNames.gzipSuffix) {
            // A log that never had content cannot be recognised.
            guard position.head.bytes > 0 else { return nil }
            guard let log = try? InflatedLog(source), holds(log, position) else { return nil }
            return Continuation(source: source, path: file.path, isCompressed: true)
        }
        let continuity = try? FileContinuity(position, size: source.facts.size) { (offset, count) throws(ShipError) in
            try source.bytes(at: offset, count: count)
        }
        guard continuity == .same else { return nil }
        return Continuation(source: source, path: file.path, isCompressed: false)
    }

    /// True when the log inside begins with the position's head and has its tail before the offset.
    private static func holds(_ log: InflatedLog, _ position: FilePosition) -> Bool {
        var head: [UInt8] = []
        var tail: [UInt8] = []
        // The head may reach beyond what was stored.
        let reach = max(position.offset, position.headStart + position.head.bytes)
        var place = 0
        let isThere = try? log.skip(to: reach) { bytes in
            if head.count < position.head.bytes {
                head += bytes.dropFirst(max(0, position.headStart - place)).prefix(position.head.bytes - head.count)
            }
            let before = bytes.prefix(max(0, position.offset - place))
            place += bytes.count
            tail += before
            if tail.count > position.tail.bytes { tail.removeFirst(tail.count - position.tail.bytes) }
        }
        return isThere == true && Fingerprint(head) == position.head && Fingerprint(tail) == position.tail
    }
}
