// Finds where a log went on after its path leads to other content: renamed, copied or compressed. What must stay true:
// a file is taken for the continuation only when the bytes say so, so that nothing is sent twice and nothing is skipped.
import Gzip

/// Where a log goes on.
struct Continuation {
    var source: SourceFile
    var path: String
    var isCompressed: Bool
    /// It holds bytes after the place to go on at.
    var hasMore: Bool
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
        // Not `lazy`: that would open a file twice, and it may go in between.
        for copy in copies.suffix(Self.comparisonsMax).reversed() {
            if let found = Self.open(copy, as: position) { return found }
        }
        return nil
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
            guard let log = try? InflatedLog(source), (try? log.holds(position)) == true else { return nil }
            // What cannot be unpacked may still be on its way.
            let hasMore = (try? log.skip(1)) ?? false
            return Continuation(source: source, path: file.path, isCompressed: true, hasMore: hasMore)
        }
        let continuity = try? FileContinuity(position, size: source.facts.size) { (offset, count) throws(ShipError) in
            try source.bytes(at: offset, count: count)
        }
        guard continuity == .same else { return nil }
        let hasMore = source.facts.size > position.offset
        return Continuation(source: source, path: file.path, isCompressed: false, hasMore: hasMore)
    }
}
