// One log under way: which bytes are read, which are stored, and what became of the file. Used by one task.
import Diagnostics
import Glibc

final class TailedFile {
    enum Phase: Equatable {
        /// The log's own path leads here.
        case live
        /// Rotated away, copied or removed: what is left is read, then the file is finished.
        case rotated
        /// Nothing more to read; waits until the stream has stored all of it.
        case settling
        /// Everything is stored. The position stays, so that the file is known when it is met again.
        case finished
        /// Nothing more to read because the bytes are no longer there.
        case lost
    }

    /// Index in the run's tables.
    let id: Int
    /// What identifies the file. `offset` and `tail` are as of the last snapshot.
    private(set) var position: FilePosition
    /// Where the file lies now.
    var currentPath: String
    private(set) var reader: LogReader?
    var ledger: AckLedger
    var framing = FramerState()
    var phase: Phase
    /// Read to its end before this one is begun.
    var predecessor: TailedFile?
    /// A run with an end reads up to here.
    var target: Int?
    /// Since when bytes wait to be read; monotonic nanoseconds.
    var pendingSince: UInt64?
    /// When the file last grew or was rotated; monotonic nanoseconds.
    var lastChange: UInt64
    /// A last record that could go on is read at this time; monotonic nanoseconds.
    var heldUntil: UInt64?
    /// What the file was like when its end was reached.
    var seen: FileFacts?
    var isAtEnd = false
    /// The larger of the last two sizes: what a truncation may have taken.
    private var sizeBeforeChange = 0
    /// Where the log was read up to, and how large it was, when its bytes went.
    private var lost: (at: FilePosition, size: Int)?
    /// Could not be read; left alone for the rest of the run.
    var isStuck = false
    /// The generation was made since the positions were saved last.
    var hasNewGeneration = false
    /// Behind the last record that was framed.
    var framedEnd: Int
    var account: ShipReport.File

    /// Nil when the file does not hold what `position` says of it.
    init?(
        id: Int, position: FilePosition, path: String, source: SourceFile, phase: Phase, now: UInt64
    ) throws(ShipError) {
        let reader = try LogReader(source: source, position: position, offset: position.offset)
        guard let reader else { return nil }
        self.id = id
        self.position = position
        currentPath = path
        self.phase = phase
        ledger = AckLedger(offset: position.offset)
        framedEnd = position.offset
        lastChange = now
        account = ShipReport.File(path: path, from: position.offset, size: source.facts.size)
        account.generation = position.generation
        self.reader = reader
        // A position after a piece of a long line: what follows belongs to the same line.
        if position.offset > 0, let last = reader.guardBytes.last, last != 0x0A, last != 0 {
            framing.isInsideLine = true
        }
        note(source.facts)
        try identify()
    }

    var readOffset: Int { reader?.offset ?? lost?.at.offset ?? ledger.storedOffset }
    var isReadable: Bool { reader != nil && !isStuck && (phase == .live || phase == .rotated) }
    /// Its descriptor keeps the inode from being used again.
    var isOpen: Bool { reader != nil }
    /// True when the stream has stored everything that was read.
    var isSettled: Bool { ledger.storedOffset >= readOffset }
    var isCompressed: Bool { position.isCompressed }
    /// As far as it can be told without unpacking.
    var unreadBytes: Int { isCompressed ? (isAtEnd ? 0 : position.sizeSeen) : max(0, position.sizeSeen - readOffset) }
    var identity: FileIdentity { position.identity }

    /// Takes the file's first bytes for its generation, if there are any and it has none.
    func identify() throws(ShipError) {
        guard position.generation.isEmpty, !position.isCompressed, let source = reader?.source else { return }
        let first = try source.head()
        position.identify(by: first)
        // The end of the first line: a copy may end before all the bytes that are there now.
        let line = first.bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? first.bytes.count
        if line > 0 {
            let place = first.start + line
            let count = min(place, LogMark.bytesMax)
            mark(
                place, position.sizeSeen, position.modifiedSeen,
                before: try source.bytes(at: place - count, count: count))
        }
        reader?.expect(first)
        account.generation = position.generation
        hasNewGeneration = !position.generation.isEmpty
    }

    /// True while the file holds what was read of it.
    var isUnchanged: Bool { (try? reader?.isUnchanged()) ?? false }

    /// True when `file` holds so far what this one begins with: a copy that is still being made.
    func isBeginning(_ file: ListedFile) -> Bool {
        guard let source = reader?.source, !isCompressed, file.facts.size < LogComparison.comparedBytesMin,
            let copy = try? SourceFile(path: file.path), copy.facts.size < position.sizeSeen,
            let bytes = try? copy.bytes(at: 0, count: copy.facts.size)
        else { return false }
        return (try? source.bytes(at: 0, count: bytes.count)) == bytes
    }

    func note(_ facts: FileFacts) {
        sizeBeforeChange = max(position.sizeSeen, facts.size)
        position.modifiedSeen = facts.modified
        position.sizeSeen = facts.size
        if !position.isCompressed { account.size = max(account.size, facts.size) }
    }

    /// Notes how far the log was read, and what the file was like when it held all that; `facts` are from before the
    /// reading, which has found that the log was still the same.
    func mark(_ facts: FileFacts) throws(ShipError) {
        guard phase == .live, let reader, !reader.isCompressed, reader.offset > position.headStart else { return }
        var facts = facts
        if facts.size < reader.offset {
            // It grew in between.
            facts = try reader.source.look()
            guard facts.size >= reader.offset, try reader.isUnchanged() else { return }
        }
        mark(reader.offset, facts.size, facts.modified, before: reader.guardBytes)
    }

    private func mark(_ offset: Int, _ size: Int, _ modified: Int, before: [UInt8]) {
        position.marks.add(LogMark(offset: offset, size: size, modified: modified, before: before))
    }

    /// The file does not hold the log any more. What was not read of it is lost, unless a copy of the log is found.
    ///
    /// - Parameter seconds: the time now, since 1970.
    func lose(seconds: Int) {
        let at = positionAtReadOffset
        lost = (at, sizeBeforeChange)
        account.suspectedLost += max(0, sizeBeforeChange - at.offset)
        close(as: .lost)
        position.absentSince = max(1, seconds)
    }

    /// Goes on in a copy of the log, after `lose`. False when the copy does not hold what was read.
    func continueIn(_ source: SourceFile, isCompressed: Bool, path: String) throws(ShipError) -> Bool {
        guard let lost else { return false }
        var moved = lost.at
        moved.device = source.identity.device
        moved.inode = source.identity.inode
        moved.isCompressed = isCompressed
        let reader = try LogReader(source: source, position: moved, offset: moved.offset)
        guard let reader else { return false }
        self.reader = reader
        self.lost = nil
        account.suspectedLost -= max(0, lost.size - lost.at.offset)
        if !isCompressed { account.suspectedLost += max(0, lost.size - source.facts.size) }
        // The stored offset may lie before what was read: its fingerprint is made anew.
        position.device = moved.device
        position.inode = moved.inode
        position.isCompressed = isCompressed
        position.absentSince = 0
        currentPath = path
        phase = .rotated
        pendingSince = lastChange
        isAtEnd = false
        seen = nil
        target = target.map { max($0, source.facts.size) }
        note(source.facts)
        return true
    }

    /// Nothing of the file is read any more.
    func close(as phase: Phase) {
        if phase == .finished, let end = reader?.offset { account.storedOffset = end }
        position = snapshot()
        reader = nil
        self.phase = phase
        position.isFinished = phase == .finished
    }

    /// What identifies the log up to where it was read.
    var positionAtReadOffset: FilePosition {
        guard let reader, !reader.isCompressed else { return lost?.at ?? position }
        var now = position
        now.offset = reader.offset
        now.tail = Fingerprint(reader.guardBytes)
        return now
    }

    /// What the position file is to say now. Reads the bytes before the stored offset, and then makes sure that the
    /// file is still the one that was read; when it is not, or cannot be read, the last good snapshot stays as far as need
    /// be.
    func snapshot() -> FilePosition {
        guard let reader else {
            if let lost, position.offset < lost.at.offset, ledger.storedOffset >= lost.at.offset {
                let absentSince = position.absentSince
                position = lost.at
                position.absentSince = absentSince
            }
            return position
        }
        let headBytes = min(FilePosition.headBytesMax, reader.offset - position.headStart)
        let hasMoreHead = !reader.isCompressed && position.head.bytes < headBytes
        guard ledger.storedOffset != position.offset || hasMoreHead else { return position }
        do throws(ShipError) {
            var now = position
            now.offset = ledger.storedOffset
            now.tail = try reader.tail(before: now.offset)
            if hasMoreHead {
                now.head = Fingerprint(try reader.source.bytes(at: now.headStart, count: headBytes))
            }
            if try reader.isUnchanged() {
                position = now
            } else if now.offset == reader.offset {
                // The content went after it was read; the last bytes are still at hand, and a copy may have them.
                position = positionAtReadOffset
            }
        } catch {
            // The next reading meets the same trouble, and reports it.
        }
        return position
    }
}
