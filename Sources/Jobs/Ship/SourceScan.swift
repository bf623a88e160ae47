// From the patterns of the job file and the stored positions to the files that a run ships, each with its position.
// What must stay true: a file is known by its identity, not by its name, so that a rotated file is finished first and
// nothing of it is sent twice.
import Diagnostics
import Glibc

/// A file to ship, and from where.
struct PlannedFile {
    var source: SourceFile
    var position: FilePosition
}

struct SourceScan {
    /// Files that one job may ship.
    static let filesMax = 10_000
    /// Rotated and compressed: its lines were shipped before, or cannot be read as they are.
    static let compressedSuffixes = [".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4"]

    let patterns: [String]
    let start: ShipJobFile.StartPosition
    let events: any JobEvents

    private(set) var planned: [PlannedFile] = []
    /// Positions of files that could not be looked at now: kept as they are.
    private(set) var kept: [FilePosition] = []
    private(set) var problems: [ShipError] = []

    init(patterns: [String], start: ShipJobFile.StartPosition, events: any JobEvents) {
        self.patterns = patterns
        self.start = start
        self.events = events
    }

    /// Opens everything that matches and everything that was rotated away unfinished. Oldest first.
    mutating func run(_ stored: [FilePosition]) {
        var opened: [SourceFile] = []
        var unreadable: Set<String> = []
        for path in matchingPaths() {
            do throws(ShipError) {
                let source = try SourceFile(path: path)
                if !opened.contains(where: { $0.device == source.device && $0.inode == source.inode }) {
                    opened.append(source)
                }
            } catch {
                problems.append(error)
                unreadable.insert(path)
            }
        }
        for position in stored where !opened.contains(where: { position.names($0) }) {
            switch findRotated(position) {
            case .found(let source): opened.append(source)
            case .unknown: kept.append(position)
            case .gone where unreadable.contains(position.path): kept.append(position)
            case .gone: reportGone(position)
            }
        }
        opened.sort { ($0.modified.0, $0.modified.1, $0.path) < ($1.modified.0, $1.modified.1, $1.path) }
        for source in opened {
            do throws(ShipError) {
                planned.append(PlannedFile(source: source, position: try position(of: source, stored)))
            } catch {
                problems.append(error)
                kept += stored.filter { $0.names(source) }
            }
        }
    }

    private mutating func matchingPaths() -> [String] {
        var paths: [String] = []
        var known: Set<String> = []
        for pattern in patterns {
            let isPattern = pattern.contains { "*?[".contains($0) }
            let found = isPattern ? expand(pattern) : [pattern]
            if found.isEmpty { events.event(.warning, "no file matches", [("files", pattern)]) }
            for path in found where !known.contains(path) {
                if isPattern, Self.compressedSuffixes.contains(where: path.hasSuffix) {
                    events.event(.debug, "compressed file skipped", [("file", path)])
                    continue
                }
                guard paths.count < Self.filesMax else {
                    problems.append(
                        ShipError(
                            "match", pattern, "more than \(Self.filesMax) files",
                            hint: "give several jobs narrower patterns", exitCode: .jobFileInvalid))
                    return paths
                }
                known.insert(path)
                paths.append(path)
            }
        }
        return paths
    }

    private func expand(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0, let entries = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { entries[$0].map { String(cString: $0) } }
    }

    private enum Search {
        case found(SourceFile)
        case gone
        /// The folder or the file cannot be read now.
        case unknown
    }

    /// The file that `position` speaks of, under another name that begins with its own: `drupal.log.1`.
    private func findRotated(_ position: FilePosition) -> Search {
        let slash = position.path.lastIndex(of: "/") ?? position.path.startIndex
        let folder = String(position.path[..<slash])
        let name = String(position.path[slash...].dropFirst())
        guard let directory = opendir(folder.isEmpty ? "/" : folder) else { return .unknown }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let found = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard found.hasPrefix(name), lstat("\(folder)/\(found)", &status) == 0,
                UInt64(status.st_ino) == position.inode, UInt64(status.st_dev) == position.device
            else { continue }
            guard let source = try? SourceFile(path: "\(folder)/\(found)"), position.names(source),
                let continuity = try? continuity(position, source)
            else { return .unknown }
            // The inode may belong to another file by now, which nobody asked to ship.
            return continuity == .same ? .found(source) : .gone
        }
        return .gone
    }

    private func continuity(_ position: FilePosition, _ source: SourceFile) throws(ShipError) -> FileContinuity {
        try FileContinuity(position, size: source.size) { (offset, count) throws(ShipError) in
            try source.bytes(at: offset, count: count)
        }
    }

    private func reportGone(_ position: FilePosition) {
        let waited = position.sizeSeen - position.offset
        events.event(
            waited > 0 ? .warning : .info,
            waited > 0
                ? "a file is gone before all of it was shipped"
                : "a file is gone; lines added to it since the last run, if any, were not shipped",
            [("file", position.path), ("shipped", "\(position.offset)"), ("size seen", "\(position.sizeSeen)")])
    }

    /// The stored position when this is still the same content, else a new one.
    private func position(of source: SourceFile, _ stored: [FilePosition]) throws(ShipError) -> FilePosition {
        var position = FilePosition(
            path: source.path, name: source.path.split(separator: "/").last.map(String.init) ?? source.path,
            device: source.device, inode: source.inode, generation: "", head: Fingerprint([]), offset: 0,
            tail: Fingerprint([]), sizeSeen: source.size)
        if var known = stored.first(where: { $0.names(source) }) {
            let continuity = try continuity(known, source)
            if continuity == .same {
                known.path = source.path
                known.sizeSeen = source.size
                position = known
            } else {
                events.event(
                    .warning, "file was \(continuity) since the last run and is read from its head",
                    [("file", source.path), ("shipped before", "\(known.offset)")])
            }
        } else if start == .tail, !stored.contains(where: { $0.path == source.path }) {
            // A path that was shipped before has a new file after a rotation: all of it is new.
            position.offset = try endOfLastLine(source)
            position.tail = try source.tail(before: position.offset)
        }
        if position.generation.isEmpty {
            position.identify(by: try source.bytes(at: 0, count: min(source.size, FilePosition.headBytesMax)))
        }
        return position
    }

    /// Just after the last line feed: a line that is being written is shipped whole.
    private func endOfLastLine(_ source: SourceFile) throws(ShipError) -> Int {
        let blockBytes = 64 << 10
        var end = source.size
        while end > 0 {
            let from = max(0, end - blockBytes)
            let block = try source.bytes(at: from, count: end - from)
            if let index = block.lastIndex(of: 0x0A) { return from + index + 1 }
            end = from
        }
        return 0
    }
}

extension SourceFile {
    /// The fingerprint of the bytes before a position.
    func tail(before offset: Int) throws(ShipError) -> Fingerprint {
        let count = min(offset, FilePosition.tailBytesMax)
        return Fingerprint(try bytes(at: offset - count, count: count))
    }
}

extension FilePosition {
    fileprivate func names(_ source: SourceFile) -> Bool { device == source.device && inode == source.inode }
}
