// The logs of one job: which files they are in now, and where each is to be read from. What must stay true: a log is
// known by its content and not by its name, so that a file that was rotated, copied or compressed is finished first and
// nothing of it is sent twice.
import CivilTime
import Diagnostics
import Glibc

final class FileSet {
    let listing: FileListing
    let start: ShipJobFile.StartPosition
    let events: any JobEvents
    /// Every file that was opened, by its number; numbers are not used again.
    private(set) var files: [TailedFile] = []
    /// Positions of files that are done: they are met again, perhaps under other names.
    var finished = FinishedLogs()
    /// Positions of files that cannot be looked at now.
    var kept: [FilePosition] = []
    /// Copies of logs that are being read from elsewhere.
    var copies: [FileIdentity: KnownCopy] = [:]
    /// Files that went away before this run with bytes that were seen and not shipped.
    var missing: [LostFile] = []
    /// What is wrong now, by path or pattern.
    private(set) var problems: [String: ShipError] = [:]
    private var reported: Set<String> = []
    /// What time it is, as of the last look.
    var wall = Timestamp(microseconds: 0)
    /// Logs that cannot be found now.
    var absent = AbsentLogs()
    private(set) var unusable: Set<String> = []

    struct LostFile {
        var position: FilePosition
        var bytes: Int
    }

    init(listing: FileListing, start: ShipJobFile.StartPosition, events: any JobEvents) {
        self.listing = listing
        self.start = start
        self.events = events
    }

    /// What the position file is to say of all files.
    func snapshot() -> [FilePosition] {
        finishCopies()
        let open = files.compactMap { file -> FilePosition? in
            switch file.phase {
            case .finished: nil
            case .live, .rotated, .settling: file.snapshot()
            case .lost: AbsentLogs.isKept(file.position, Int(wall.seconds)) ? file.snapshot() : nil
            }
        }
        return open + finished.positions + kept + absent.positions
    }

    // MARK: - New files

    /// Opens a file that no position speaks of, unless it is a copy of a log that one speaks of.
    ///
    /// - Parameters:
    ///   - former: positions of files that are not there any more.
    ///   - home: the path of the log that this is a rotated form of; nil for a log of its own.
    ///   - since: what `FilePosition.since` of that log is; nil for a log that is new.
    @discardableResult
    func take(
        _ file: ListedFile, _ former: [FilePosition], home: String?, since: Int?, _ now: UInt64,
        fromTail: Bool = false, phase: TailedFile.Phase? = nil
    ) -> TailedFile? {
        if isCopy(file, former, now) { return nil }
        let isSameFile = { (position: FilePosition) in position.identity == file.facts.identity }
        var before = (former + absent.positions + files.filter { $0.phase == .lost }.map(\.position)).filter(isSameFile)
        if let done = finished.remove(file.facts.identity) {
            before.append(done)
            setAside(done)
        }
        copies[file.facts.identity] = nil
        do throws(ShipError) {
            let source = try SourceFile(path: file.path)
            // A rotation that goes on gave the name to another file.
            if home != nil, source.identity != file.facts.identity { return nil }
            var position = FilePosition(
                path: home ?? file.path, device: source.identity.device, inode: source.identity.inode)
            position.incarnation = before.map { $0.incarnation + 1 }.max() ?? 0
            position.isCompressed = file.path.hasSuffix(RotationNames.gzipSuffix)
            position.since = since ?? listing.rotations(of: position.path)?.map(\.facts.modified).max() ?? 0
            if position.isCompressed { position.identify(by: try InflatedLog(source).head()) }
            if fromTail, !position.isCompressed {
                position.identify(by: try source.head())
                position.offset = try source.endOfLastLine()
                let count = min(position.offset, FilePosition.tailBytesMax)
                position.tail = Fingerprint(try source.bytes(at: position.offset - count, count: count))
            }
            let isLive = home == nil && !position.isCompressed
            return try open(position, source, path: file.path, phase: phase ?? (isLive ? .live : .rotated), now)
        } catch {
            problem(error)
            return nil
        }
    }

    /// Nil when the file does not hold what the position says of it.
    @discardableResult
    func open(
        _ position: FilePosition, _ source: SourceFile, path: String, phase: TailedFile.Phase, _ now: UInt64
    ) throws(ShipError) -> TailedFile? {
        var position = position
        position.isFinished = false
        position.absentSince = 0
        let file = try TailedFile(
            id: files.count, position: position, path: path, source: source, phase: phase, now: now)
        problems[path] = nil
        guard let file else { return nil }
        files.append(file)
        return file
    }

    /// The log that a file with a rotation's name belongs to, when the patterns match that one too.
    func homePath(of file: ListedFile, _ homes: Set<String>) -> String? {
        guard let base = RotationNames.base(of: file.name) else { return nil }
        let home = String(file.path.dropLast(file.name.count)) + base
        return homes.contains(home) ? home : nil
    }

    // MARK: - While a run goes on

    /// Looks for new files, and for files that were rotated away.
    func refresh(now: UInt64, wall: Timestamp? = nil) {
        listing.beginLook()
        self.wall = wall ?? self.wall
        let matches = look { _ in }
        let present = Dictionary(matches.map { ($0.facts.identity, $0) }) { first, _ in first }
        findAbsent(present, now)
        for position in kept {
            guard let file = present[position.identity] else { continue }
            kept.removeAll { $0 == position }
            if !adopt(position, file, now), !follow(position, now) { miss(position) }
        }
        for file in files where file.phase == .live || file.phase == .rotated {
            let isHome = FileFacts(path: file.position.path)?.identity == file.identity
            if let found = present[file.identity] { file.currentPath = found.path }
            if file.phase == .rotated, isHome, !file.isCompressed { file.phase = .live }
            if file.phase == .live, !isHome {
                supersede(file, now)
            }
        }
        let open = openIdentities()
        let homes = Set(matches.map(\.path))
        var times: [String: Int] = [:]
        for position in files.map(\.position) + finished.positions + absent.positions {
            times[position.path] = max(times[position.path] ?? 0, position.since)
        }
        for file in matches where !open.contains(file.facts.identity) && !isDone(file) {
            let home = homePath(of: file, homes)
            // Somebody may still write to a file that was finished; else its inode was used again.
            if reopen(file, now) { continue }
            take(file, [], home: home, since: times[home ?? file.path], now)
        }
        // What was rotated just now may be compressed or written to a little later: each look goes over all logs.
        for file in files { times[file.position.path] = max(times[file.position.path] ?? 0, file.position.since) }
        for (path, time) in times.sorted(by: { $0.key < $1.key }) {
            takeUnseen(path, since: time, now, bytesMin: LogComparison.comparedBytesMin)
        }
        forgetRemoved()
        chain()
    }

    /// Every rotated file of a log comes before the next one, and all before the live one.
    func chain() {
        for (_, group) in Dictionary(grouping: files.filter(\.isReadable), by: \.position.path) where group.count > 1 {
            let ordered = group.sorted {
                ($0.phase == .live ? 1 : 0, $0.position.modifiedSeen, $0.id)
                    < ($1.phase == .live ? 1 : 0, $1.position.modifiedSeen, $1.id)
            }
            for (before, after) in zip(ordered, ordered.dropFirst()) where after.predecessor == nil {
                // What has begun is gone on with.
                if after.readOffset == after.account.from { after.predecessor = before }
            }
        }
    }

    /// A file whose bytes are all stored: it is not read any more, but known when it is met again.
    func finish(_ file: TailedFile) {
        file.close(as: .finished)
        finish(file.position)
    }

    func finish(_ position: FilePosition) {
        var position = position
        position.absentSince = 0
        position.marks = LogMarks()
        if let former = finished.insert(position) { setAside(former) }
    }

    // MARK: - Problems

    func look(_ empty: (String) -> Void) -> [ListedFile] {
        let matches = listing.matches()
        for error in matches.problems { problem(error) }
        unusable = matches.unusable
        for pattern in matches.empty { empty(pattern) }
        // Rotated files are older than what comes after them.
        return matches.files.sorted { ($0.facts.modified, $0.path) < ($1.facts.modified, $1.path) }
    }

    /// Each problem is told once a run.
    func problem(_ error: ShipError) {
        problems[error.diagnostic.subject] = error
        guard reported.insert(error.diagnostic.summary).inserted else { return }
        events.event(
            .error, error.diagnostic.summary, error.diagnostic.hint.map { [("hint", $0)] } ?? [])
    }
}

extension SourceFile {
    /// Just after the last line feed: a line that is being written is shipped whole.
    func endOfLastLine() throws(ShipError) -> Int {
        let blockBytes = 64 << 10
        var end = facts.size
        while end > 0 {
            let from = max(0, end - blockBytes)
            let block = try bytes(at: from, count: end - from)
            if let index = block.lastIndex(of: 0x0A) { return from + index + 1 }
            end = from
        }
        return 0
    }
}
