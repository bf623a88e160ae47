// What happens to logs that were rotated, copied, truncated or compressed: where they go on, and which files are only
// another form of what is known.
import CivilTime
import Diagnostics

extension FileSet {
    /// A file that was changed so recently may still be written to.
    private static let youngNanoseconds = 5_000_000_000
    /// So often a look is begun anew because names changed under it.
    static let looksMax = 4

    /// Files that are being read, or that cannot be looked at now. Their descriptors keep their inodes.
    func openIdentities() -> Set<FileIdentity> {
        var open = Set(kept.map(\.identity))
        for file in files where file.isOpen { open.insert(file.identity) }
        return open
    }

    /// True for a file that was finished, or that is a copy, and has not changed since. Inodes are used again: size
    /// and time of the last change must be the same, too.
    func isDone(_ file: ListedFile) -> Bool {
        let identity = file.facts.identity
        if copies[identity]?.isAsSeen(file.facts) ?? false { return true }
        return finished[identity]?.isAsSeen(file.facts) ?? false
    }

    func isOpen(_ identity: FileIdentity) -> Bool {
        files.contains { $0.isOpen && $0.identity == identity } || kept.contains { $0.identity == identity }
    }

    /// Rotated forms of a log that are nothing else yet; nil when their folder cannot be read.
    ///
    /// - Parameter since: only those that were changed after this.
    func freeRotations(of path: String, since: Int = 0) -> [ListedFile]? {
        guard let all = listing.rotations(of: path) else { return nil }
        let free = all.filter { $0.facts.modified > since && !isDone($0) && !isOpen($0.facts.identity) }
        guard !free.isEmpty else { return [] }
        let names = Set(all.map(\.path))
        return free.filter { file in
            // While a file is being compressed, its plain form is still there.
            !file.path.hasSuffix(RotationNames.gzipSuffix) || !names.contains(RotationNames.uncompressed(file.path))
        }
    }

    // MARK: - Where a position goes on

    /// Looks for the file of a position under another name. False when it is not there any more.
    func follow(_ position: FilePosition, _ now: UInt64) -> Bool {
        guard let candidates = freeRotations(of: position.path) else {
            kept.append(position)
            return true
        }
        if position.isFinished {
            guard let file = candidates.first(where: { $0.facts.identity == position.identity }) else { return false }
            if position.isAsSeen(file.facts) {
                finish(position)
                return true
            }
            // Somebody wrote to it after it was finished; or its inode was used again.
            guard !position.isCompressed, let found = RotationSearch.open(file, as: position) else { return false }
            return openFound(found, position, now)
        }
        guard let found = RotationSearch(candidates: candidates).continuation(of: position) else { return false }
        return openFound(found, position, now)
    }

    func openFound(_ found: Continuation, _ position: FilePosition, _ now: UInt64) -> Bool {
        var moved = position
        moved.device = found.source.identity.device
        moved.inode = found.source.identity.inode
        moved.isCompressed = found.isCompressed
        if found.isCompressed { moved.tail = Fingerprint([]) }
        do throws(ShipError) {
            return try open(moved, found.source, path: found.path, phase: .rotated, now) != nil
        } catch {
            problem(error)
            kept.append(position)
            return true
        }
    }

    /// Goes on with a file that was finished and has grown since. False when it is another file.
    func reopen(_ file: ListedFile, _ now: UInt64) -> Bool {
        guard let position = finished[file.facts.identity], !position.isCompressed,
            !file.path.hasSuffix(RotationNames.gzipSuffix), RotationSearch.open(file, as: position) != nil
        else { return false }
        finished.remove(position.identity)
        return adopt(position, file, now)
    }

    /// Rotated files that nobody has seen: the log was rotated more than once in between.
    ///
    /// - Parameters:
    ///   - since: files that were not changed after this were there before the log was shipped first.
    ///   - bytesMin: of a file that was changed just now.
    func takeUnseen(_ path: String, since: Int, _ now: UInt64, bytesMin: Int = 1) {
        for _ in 0..<Self.looksMax {
            guard let candidates = freeRotations(of: path, since: since), !candidates.isEmpty,
                // The copy of a log that was truncated and not read since is found when that is noticed.
                files.allSatisfy({ $0.position.path != path || !$0.isOpen || $0.isUnchanged })
            else { return }
            if listing.isUnchanged(path) { return take(candidates, of: path, since: since, now, bytesMin: bytesMin) }
            listing.beginLook()
            for position in absent.positions where position.path == path && follow(position, now) {
                absent.remove(position)
            }
        }
    }

    private func take(_ candidates: [ListedFile], of path: String, since: Int, _ now: UInt64, bytesMin: Int) {
        for file in candidates {
            // A file that is being compressed or copied right now says too little; a later look knows more.
            let isYoung = Int(wall.microseconds) * 1_000 - file.facts.modified < Self.youngNanoseconds
            let isCompressed = file.path.hasSuffix(RotationNames.gzipSuffix)
            if isYoung, isCompressed ? LogComparison.isTooShort(file) : file.facts.size < bytesMin { continue }
            if isYoung, files.contains(where: { $0.position.path == path && $0.isBeginning(file) }) { continue }
            if RotationNames.unreadableSuffixes.contains(where: file.path.hasSuffix) {
                problem(
                    ShipError(
                        "read", file.path, "its compression cannot be read, and it was never shipped",
                        hint: "unpack it beside the log, or let logrotate use gzip", exitCode: .temporary))
                continue
            }
            if reopen(file, now) { continue }
            take(file, [], home: path, since: since, now)
        }
    }

    // MARK: - While a run goes on

    func supersede(_ file: TailedFile, _ now: UInt64) {
        file.phase = .rotated
        file.lastChange = now
        if let listed = listing.rotations(of: file.position.path)?.first(where: { $0.facts.identity == file.identity })
        {
            file.currentPath = listed.path
        }
        events.event(.info, "file was rotated", [("file", file.position.path), ("lies at", file.currentPath)])
    }

    /// Looks for logs that could not be found before.
    func findAbsent(_ present: [FileIdentity: ListedFile], _ now: UInt64) {
        let seconds = Int(wall.seconds)
        absent.expire(seconds: seconds)
        for position in absent.positions {
            // Another log may have its inode by now.
            if let file = present[position.identity], !isOpen(file.facts.identity), !isDone(file),
                RotationSearch.open(file, as: position) != nil, adopt(position, file, now)
            {
                absent.remove(position)
            } else if listing.rotations(of: position.path) != nil, follow(position, now) {
                absent.remove(position)
            }
        }
        for file in files where file.phase == .lost && AbsentLogs.isKept(file.position, seconds) {
            guard let copy = continueInCopy(file, since: file.position.since) else { continue }
            events.event(.info, "the copy was found", [("file", file.position.path), ("copy", copy)])
        }
    }

    /// The positions of finished files that are no longer there. They are kept for a while: another form of the log may
    /// turn up, or may not have been looked at yet.
    func forgetRemoved() {
        var present: [String: Set<FileIdentity>?] = [:]
        for position in finished.positions {
            let path = position.path
            let there = present[path] ?? listing.rotations(of: path).map { Set($0.map(\.facts.identity)) }
            present[path] = .some(there)
            guard let there, !there.contains(position.identity), FileFacts(path: path)?.identity != position.identity
            else { continue }
            finished.remove(position.identity)
            setAside(position)
        }
    }

    /// The file of a finished log is gone, or its inode was used again.
    func setAside(_ position: FilePosition) {
        if !finished.holdsLog(of: position) { absent.insert(position, seconds: Int(wall.seconds)) }
    }

    /// The file no longer holds what was read of it. Goes on in the copy that was made of it, if there is one; what
    /// stands in the file now is a new log.
    func restart(_ file: TailedFile, _ how: LogChunk, now: UInt64) {
        listing.beginLook()
        events.event(
            .warning, how == .truncated ? "file was truncated" : "file has other content than before",
            [("file", file.currentPath), ("read before", "\(file.readOffset)")])
        let old = file.positionAtReadOffset
        let path = file.currentPath
        // What was found to be a copy may be the place to go on now, unless all of it was read.
        let end = file.readOffset
        copies = copies.filter { $0.value.file == file.id && $0.value.position.map { $0.offset <= end } ?? false }
        file.lose(seconds: Int(wall.seconds))
        if let copy = continueInCopy(file, since: 0) {
            events.event(.info, "the copy is read to its end first", [("file", path), ("copy", copy)])
        }
        guard let facts = FileFacts(path: path), facts.identity == old.identity else { return refresh(now: now) }
        let listed = ListedFile(path: path, facts: facts)
        take(listed, [old], home: old.path, since: old.since, now, phase: .live)?.pendingSince = now
        takeUnseen(old.path, since: old.since, now)
        chain()
    }
}
