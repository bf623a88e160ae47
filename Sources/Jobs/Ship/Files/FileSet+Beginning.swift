// The beginning of a run: what the last run left is matched with what lies on the disk now.
import CivilTime
import Diagnostics
import Glibc

extension FileSet {
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
        // An inode may have held another log before: what was there last comes first.
        for position in stored.filter({ $0.absentSince == 0 }) + stored.filter({ $0.absentSince != 0 }) {
            if let file = present[position.identity], !isOpen(file.facts.identity), adopt(position, file, now) {
                continue
            }
            orphans.append(position)
        }
        var former = orphans
        for _ in 0..<Self.looksMax {
            former = former.filter { !follow($0, now) }
            if former.allSatisfy({ listing.isUnchanged($0.path) }) { break }
            listing.beginLook()
        }
        // What lies in the way of a log may go again.
        kept += former.filter { unusable.contains($0.path) }
        former.removeAll { unusable.contains($0.path) }
        let homes = Set(matches.map(\.path))
        let open = openIdentities()
        let times = Dictionary(stored.map { ($0.path, $0.since) }) { first, _ in first }
        for file in matches where !open.contains(file.facts.identity) && !isDone(file) {
            let home = homePath(of: file, homes)
            let isTail = start == .tail && !paths.contains(home ?? file.path)
            take(file, former, home: home, since: times[home ?? file.path], now, fromTail: isTail)
        }
        for position in former { miss(position) }
        // After the live files: the copy of one is no file of its own.
        for path in paths.sorted() { takeUnseen(path, since: times[path] ?? 0, now) }
        chain()
    }

    /// Takes up a position in the file of the same inode. False when that has other content now.
    func adopt(_ position: FilePosition, _ file: ListedFile, _ now: UInt64) -> Bool {
        if position.isFinished, position.isAsSeen(file.facts) {
            finish(position)
            return true
        }
        do throws(ShipError) {
            let isHome = FileFacts(path: position.path)?.identity == position.identity
            let source = try SourceFile(path: file.path)
            guard source.identity == file.facts.identity, mayHold(file, position) else { return false }
            guard try open(position, source, path: file.path, phase: isHome ? .live : .rotated, now) != nil else {
                if position.absentSince == 0 {
                    events.event(
                        .warning, "file has other content than in the last run",
                        [("file", file.path), ("shipped before", "\(position.offset)")])
                }
                return false
            }
        } catch {
            problem(error)
            kept.append(position)
        }
        return true
    }

    /// Of a file that was empty nothing is known but its name: its inode may be another log's by now.
    private func mayHold(_ file: ListedFile, _ position: FilePosition) -> Bool {
        position.head.bytes > 0 || file.path == position.path || RotationNames.isRotation(file.name, of: position.name)
    }

    /// A file that cannot be found is looked for again, in later runs too, and reported once.
    func miss(_ position: FilePosition) {
        if position.absentSince == 0, !position.isFinished { reportGone(position) }
        if position.isFinished, finished.holdsLog(of: position) { return }
        absent.insert(position, seconds: Int(wall.seconds))
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
        missing.append(LostFile(position: position, bytes: position.unreadSeen))
    }
}
