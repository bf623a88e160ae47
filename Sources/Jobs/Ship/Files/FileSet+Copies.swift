// Which files are only another form of a log that is known: the copy that `copytruncate` makes, the gzip form of a file
// that was finished. What must stay true: such a file is done only when all of it is stored, and another log that begins
// alike is no copy.
import Diagnostics

/// A copy of a log that is, or was, read from elsewhere.
struct KnownCopy {
    /// The number of the log's file.
    var file: Int
    /// What the copy was like when it was compared.
    var facts: FileFacts
    /// What is to be remembered of it once the log is stored that far; nil when it is not known how far it goes.
    var position: FilePosition?

    func isAsSeen(_ facts: FileFacts) -> Bool {
        facts.size == self.facts.size && facts.modified == self.facts.modified
    }
}

extension FileSet {
    /// True for a file whose log is known already: the copy that `copytruncate` makes before it truncates, or the gzip
    /// form of a file that was finished.
    func isCopy(_ file: ListedFile, _ former: [FilePosition], _ now: UInt64) -> Bool {
        isCopyOfOpen(file) || isFormOfFinished(file, former, now) || isShortCopy(file, former)
    }

    private func isCopyOfOpen(_ file: ListedFile) -> Bool {
        for tailed in files where tailed.isOpen && tailed.identity != file.facts.identity {
            guard RotationNames.isRotation(file.name, of: tailed.position.name) else { continue }
            // Of a log that is not identified nobody would notice that it was truncated.
            guard (try? tailed.identify()) != nil, !tailed.position.generation.isEmpty else { continue }
            let position: FilePosition?
            if let source = tailed.reader?.source, !tailed.isCompressed, tailed.isUnchanged {
                let length = LogComparison.copiedLength(source, tailed.position.marks, file)
                guard let length else { continue }
                position = ShippedCopy.position(of: file, length: length, tailed.position, source)
            } else {
                guard isCopy(file, ofGone: tailed) else { continue }
                position = nil
            }
            copies[file.facts.identity] = KnownCopy(file: tailed.id, facts: file.facts, position: position)
            return true
        }
        return false
    }

    /// - Parameter tailed: cannot be compared with: it is packed, or was truncated, which is not noticed yet.
    private func isCopy(_ file: ListedFile, ofGone tailed: TailedFile) -> Bool {
        if RotationSearch.recognises(file, tailed.positionAtReadOffset) { return true }
        guard tailed.isCompressed, tailed.isAtEnd, tailed.position.offset > 0 else { return false }
        return RotationSearch.open(file, as: tailed.position).map { !$0.hasMore } ?? false
    }

    private func isFormOfFinished(_ file: ListedFile, _ former: [FilePosition], _ now: UInt64) -> Bool {
        let isPacked = file.path.hasSuffix(RotationNames.gzipSuffix)
        for position in finished.positions + former + absent.positions where position.isFinished && position.offset > 0
        {
            // The packed form may have got the inode of the plain one; and whoever packs a file gives it its time at last,
            // perhaps between two looks.
            guard
                position.identity != file.facts.identity || position.isCompressed != isPacked
                    || isPacked && position.sizeSeen == file.facts.size,
                RotationNames.isRotation(file.name, of: position.name),
                let found = RotationSearch.open(file, as: position)
            else { continue }
            if found.hasMore {
                // Somebody wrote to it after it was finished. A few words may be another log's, too.
                guard position.offset - position.headStart >= LogComparison.comparedBytesMin else { continue }
                return openFound(found, position, now)
            }
            // A plain copy of a few words has the time of its file, or it is another log.
            if !isPacked, position.offset < LogComparison.comparedBytesMin,
                position.modifiedSeen != file.facts.modified
            {
                continue
            }
            var moved = position
            moved.device = file.facts.device
            moved.inode = file.facts.inode
            moved.isCompressed = found.isCompressed
            if found.isCompressed { moved.tail = Fingerprint([]) }
            moved.sizeSeen = file.facts.size
            moved.modifiedSeen = file.facts.modified
            finish(moved)
            absent.remove(position)
            return true
        }
        return false
    }

    /// A copy that ends before the place up to which its log was shipped.
    private func isShortCopy(_ file: ListedFile, _ former: [FilePosition]) -> Bool {
        for tailed in files where tailed.phase == .lost && RotationNames.isRotation(file.name, of: tailed.position.name)
        {
            guard let position = ShippedCopy.position(of: file, tailed.positionAtReadOffset) else { continue }
            copies[file.facts.identity] = KnownCopy(file: tailed.id, facts: file.facts, position: position)
            return true
        }
        for log in former + absent.positions where !log.isFinished && RotationNames.isRotation(file.name, of: log.name)
        {
            guard let position = ShippedCopy.position(of: file, log) else { continue }
            finish(position)
            return true
        }
        return false
    }

    /// Copies of logs that are gone: they are done when the stream has stored as much of the log as they hold.
    func finishCopies() {
        for (identity, copy) in copies where files[copy.file].phase == .lost {
            guard let position = copy.position, files[copy.file].ledger.storedOffset >= position.offset else {
                continue
            }
            copies[identity] = nil
            finish(position)
        }
    }

    /// Goes on in a copy that was made of a log before its file was truncated. Nil when there is none now.
    func continueInCopy(_ file: TailedFile, since: Int) -> String? {
        var old = file.positionAtReadOffset
        old.modifiedSeen = 0
        for _ in 0..<Self.looksMax {
            guard let candidates = freeRotations(of: old.path, since: since) else { return nil }
            if let found = RotationSearch(candidates: candidates).continuation(of: old),
                (try? file.continueIn(found.source, isCompressed: found.isCompressed, path: found.path)) == true
            {
                return found.path
            }
            if listing.isUnchanged(old.path) { return nil }
            listing.beginLook()
        }
        return nil
    }
}
