// The logs of one job: which files they are in now, and where each is to be read from. What must stay true: a log is
// known by its content and not by its name, so that a file that was rotated, copied or compressed is finished first and
// nothing of it is sent twice.
import CivilTime
import Diagnostics
import Glibc

final class FileSet {
    let listing: FileListing
    private let start: ShipJobFile.StartPosition
    let events: any JobEvents
    /// Every file that was opened, by its number; numbers are not used again.
    private(set) var files: [TailedFile] = []
    /// Positions of files that are done: they are met again, perhaps under other names.
    var finished: [FilePosition] = []
    /// Positions of files that cannot be looked at now.
    var kept: [FilePosition] = []
    /// Copies of logs that are being read from elsewhere, as they were when that was found out.
    var copies: [FileIdentity: FileFacts] = [:]
    /// Files that went away with bytes that were seen and not shipped.
    private(set) var lost: [LostFile] = []
    /// What is wrong now, by path or pattern.
    private(set) var problems: [String: ShipError] = [:]
    private var reported: Set<String> = []
    /// What time it is, as of the last look.
    private(set) var wall = Timestamp(microseconds: 0)
    /// Positions of files that cannot be found: a folder may be mounted again, a link turned back.
    private(set) var absent: [FilePosition] = []
    /// After this time a file that cannot be found is forgotten.
    static let absentSecondsMax = 7 * 86_400
    /// Most positions that are kept of such files; the oldest go first.
    static let absentMax = 1_000
    private var unusable: Set<String> = []

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
        let open = files.compactMap { file -> FilePosition? in
            switch file.phase {
            case .lost, .finished: nil
            case .live, .rotated, .settling: file.snapshot()
            }
        }
        return open + finished + kept + absent
    }

    // MARK: - The beginning of a run

    /// Opens everything that matches, and everything that was rotated away unfinished.
    ///
    /// - Parameter needsFiles: a path that is not there and never was is a problem: nobody waits for it.
    func begin(_ stored: [FilePosition], now: UInt64, wall: Timestamp, needsFiles: Bool) {
        listing.beginLook()
        self.wall = wall
        let paths = Set(stored.map(\.path))
        let matches = look { pattern in
            if needsFiles, !FileListing.isPattern(pattern), !paths.contains(pattern) {
                problem(ShipError("open", pattern, errno: ENOENT))
            } else {
                events.event(.warning, "no file matches", [("files", pattern)])
            }
        }
        let present = Dictionary(matches.map { ($0.facts.identity, $0) }) { first, _ in first }
        var orphans: [FilePosition] = []
        for position in stored {
            if let file = present[position.identity], adopt(position, file, now) { continue }
            orphans.append(position)
        }
        var former = orphans.filter { !follow($0, now) }
        // What lies in the way of a log may go again.
        kept += former.filter { unusable.contains($0.path) }
        former.removeAll { unusable.contains($0.path) }
        let homes = Set(matches.map(\.path))
        let open = openIdentities()
        for file in matches where !open.contains(file.facts.identity) && !isDone(file) {
            let home = homePath(of: file, homes)
            let isTail = start == .tail && !paths.contains(home ?? file.path)
            let since = stored.first { $0.path == home ?? file.path }?.since
            take(file, former, home: home, since: since, now, fromTail: isTail)
        }
        // After the live files: the copy of one is no file of its own.
        for path in paths.sorted() {
            takeUnseen(path, since: stored.first { $0.path == path }?.since ?? 0, former, now)
        }
        for position in former { miss(position, wall) }
        chain()
    }

    /// Takes up a position in the file of the same inode. False when that has other content now.
    func adopt(_ position: FilePosition, _ file: ListedFile, _ now: UInt64) -> Bool {
        if position.isFinished, position.isAsSeen(file.facts) {
            var position = position
            position.absentSince = 0
            finished.append(position)
            return true
        }
        do throws(ShipError) {
            let isHome = FileFacts(path: position.path)?.identity == position.identity
            let source = try SourceFile(path: file.path)
            guard try open(position, source, path: file.path, phase: isHome ? .live : .rotated, now) != nil else {
                events.event(
                    .warning, "file has other content than in the last run",
                    [("file", file.path), ("shipped before", "\(position.offset)")])
                return false
            }
        } catch {
            problem(error)
            kept.append(position)
        }
        return true
    }

    /// A file that cannot be found is looked for again in later runs, and reported once.
    private func miss(_ position: FilePosition, _ wall: Timestamp) {
        // Another file at its path has taken over its inode: it cannot come back.
        guard !files.contains(where: { $0.identity == position.identity }) else {
            if position.absentSince == 0, !position.isFinished { reportGone(position) }
            return
        }
        var position = position
        if position.absentSince == 0 {
            if !position.isFinished { reportGone(position) }
            position.absentSince = Int(wall.seconds)
        }
        guard Int(wall.seconds) - position.absentSince < Self.absentSecondsMax else { return }
        absent.append(position)
        if absent.count > Self.absentMax { absent.removeFirst() }
    }

    private func reportGone(_ position: FilePosition) {
        let fields = [
            ("file", position.path), ("shipped", "\(position.offset)"), ("size seen", "\(position.sizeSeen)"),
        ]
        guard position.unreadSeen > 0 else {
            let text = "a file is gone; lines added to it since the last run, if any, were not shipped"
            return events.event(.info, text, fields)
        }
        events.event(.warning, "a file is gone before all of it was shipped", fields)
        lost.append(LostFile(position: position, bytes: position.unreadSeen))
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
        if isCopy(file, former) { return nil }
        let before = (former + finished + absent).filter { $0.identity == file.facts.identity }
        finished.removeAll { $0.identity == file.facts.identity }
        copies[file.facts.identity] = nil
        do throws(ShipError) {
            let source = try SourceFile(path: file.path)
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
    private func homePath(of file: ListedFile, _ homes: Set<String>) -> String? {
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
        for position in absent {
            guard let file = present[position.identity], !openIdentities().contains(position.identity) else { continue }
            absent.removeAll { $0 == position }
            if !adopt(position, file, now) { absent.append(position) }
        }
        for position in kept {
            guard let file = present[position.identity] else { continue }
            kept.removeAll { $0 == position }
            if !adopt(position, file, now) { _ = follow(position, now) }
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
        for file in matches where !open.contains(file.facts.identity) && !isDone(file) {
            let home = homePath(of: file, homes)
            // Somebody may still write to a file that was finished; else its inode was used again.
            if reopen(file, now) { continue }
            let since = files.last { $0.position.path == home ?? file.path }?.position.since
            take(file, [], home: home, since: since, now)
        }
        // What was rotated just now may be compressed or written to a little later: each look goes over all logs.
        var since: [String: Int] = [:]
        for position in files.filter(\.isOpen).map(\.position) + finished {
            since[position.path] = max(since[position.path] ?? 0, position.since)
        }
        for (path, time) in since.sorted(by: { $0.key < $1.key }) {
            takeUnseen(path, since: time, [], now, bytesMin: LogComparison.comparedBytesMin)
            forgetRemoved(path)
        }
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
        finished.append(file.position)
    }

    // MARK: - Problems

    private func look(_ empty: (String) -> Void) -> [ListedFile] {
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
