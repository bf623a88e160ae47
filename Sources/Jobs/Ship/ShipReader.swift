// The reading half of a run: from files that grew to records in the queue. What must stay true: a rotated file is read
// to its end before its successor is begun; the bytes that no record holds are counted as done where they are skipped.
import CivilTime
import Diagnostics

final class ShipReader {
    let logs: FileSet
    private let file: ShipJobFile
    private let framer: RecordFramer
    private var composer: RecordComposer
    private var keys: [Int: SourceKeyWriter] = [:]
    private let hostName: String
    private let isOnce: Bool
    private let linger: UInt64
    private let rotateWait: UInt64
    private let buffer: UnsafeMutableRawBufferPointer
    /// Called with a record that is too large; done with it when it returns.
    var setAside: (RecordComposer.Oversize) throws -> Void = { _ in }
    /// Read errors that end a file's part of the run.
    private(set) var problems: [ShipError] = []

    enum Outcome {
        /// Nothing more to read now.
        case caughtUp
        /// The queue is full.
        case full
    }

    init(
        file: ShipJobFile, logs: FileSet, budget: MemoryBudget, framer: RecordFramer, hostName: String, isOnce: Bool,
        random: @escaping @Sendable () -> Double
    ) {
        self.file = file
        self.logs = logs
        self.framer = framer
        self.hostName = hostName
        self.isOnce = isOnce
        linger = file.linger.nanoseconds
        rotateWait = file.rotateWait.nanoseconds
        composer = RecordComposer(
            settings: RecordComposer.Settings(
                record: file.record, fluentd: file.fluentd, aggregate: file.destination.aggregate,
                partitionKey: file.destination.partitionKey, aggregateBytesMax: file.destination.aggregateBytes,
                recordBytesMax: file.destination.recordBytes, random: random))
        buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: budget.readBufferBytes, alignment: 16)
    }

    deinit { buffer.deallocate() }

    static func framer(_ file: ShipJobFile) -> RecordFramer {
        RecordFramer(
            rules: FramingRules(
                recordBytesMax: file.destination.recordBytes - SourceKeyWriter.keyBytesMax,
                joins: file.multiline == .join, cutsLongLines: file.longLines == .cut,
                needsStarts: RecordComposer.needsStarts(file.destination.aggregate)))
    }

    var unmatchedLines: Int { composer.unmatchedLines }

    // MARK: - What is due

    /// Looks whether a file grew, or needs attention for another reason.
    func look(_ file: TailedFile, now: UInt64) {
        guard file.isReadable, let source = file.reader?.source else { return }
        do throws(ShipError) {
            let facts = try source.look()
            if facts.size != file.seen?.size { file.lastChange = now }
            if facts != file.seen, !(file.isCompressed && file.isAtEnd) { file.pendingSince = file.pendingSince ?? now }
            file.note(facts)
        } catch {
            fail(file, error)
        }
    }

    func lookAtAll(now: UInt64) { for file in logs.files { look(file, now: now) } }

    /// Bytes that are there and not read yet.
    var pendingBytes: Int {
        logs.files.reduce(0) { sum, file in
            file.isReadable && file.pendingSince != nil ? sum + max(1, file.unreadBytes) : sum
        }
    }

    /// When the next reading is due although nothing changes; nil when only changes make it due.
    func nextTime() -> UInt64? {
        var next: UInt64?
        for file in logs.files where file.isReadable {
            var times: [UInt64] = []
            if let since = file.pendingSince { times.append(since &+ linger) }
            if let held = file.heldUntil { times.append(held) }
            if !isOnce, file.phase == .rotated { times.append(file.lastChange &+ rotateWait) }
            for time in times { next = min(next ?? time, time) }
        }
        return next
    }

    /// True when `read` has something to do by now.
    func isDue(now: UInt64, isFull bytes: Int) -> Bool {
        if isOnce { return logs.files.contains { $0.isReadable && $0.pendingSince != nil } }
        if pendingBytes >= bytes { return true }
        guard let next = nextTime() else { return false }
        return next <= now
    }

    // MARK: - Reading

    /// Reads everything that is there, a buffer of each file in turn, until the queue is full.
    func read(into queue: inout SendQueue, now: UInt64, wall: Timestamp) throws -> Outcome {
        defer { composer.flush(into: &queue) }
        var hasRead = true
        while hasRead {
            hasRead = false
            // By number: a file that was truncated adds another one.
            var number = 0
            while number < logs.files.count {
                let file = logs.files[number]
                number += 1
                guard wants(file, now), mayStart(file) else { continue }
                guard queue.hasRoom else { return .full }
                do throws(ShipError) {
                    try step(file, &queue, now, wall)
                    hasRead = true
                } catch {
                    switch error.exitCode {
                    case .internalFault: throw error
                    default: fail(file, error)
                    }
                }
                if let aside { throw aside }
            }
        }
        return .caughtUp
    }

    private func wants(_ file: TailedFile, _ now: UInt64) -> Bool {
        guard file.isReadable else { return false }
        if file.pendingSince != nil { return true }
        if let held = file.heldUntil { return held <= now }
        return !isOnce && file.phase == .rotated && file.lastChange &+ rotateWait <= now
    }

    private func mayStart(_ file: TailedFile) -> Bool {
        guard let before = file.predecessor else { return true }
        guard before.isReadable else {
            file.predecessor = nil
            return true
        }
        return before.pendingSince == nil
    }

    /// What the end of the bytes that are there means for this file.
    private func end(of file: TailedFile, _ now: UInt64, _ wall: Timestamp) -> FramingEnd {
        if file.isCompressed { return .finished }
        let sinceChange = now &- file.lastChange
        if file.phase == .rotated {
            let sinceModified = wall.microseconds * 1_000 - Int64(file.position.modifiedSeen)
            let quiet = isOnce ? UInt64(max(0, sinceModified)) : sinceChange
            return quiet >= rotateWait ? .finished : .quiet
        }
        return isOnce || sinceChange >= linger ? .quiet : .more
    }

    private func step(
        _ file: TailedFile, _ queue: inout SendQueue, _ now: UInt64, _ wall: Timestamp
    ) throws(ShipError) {
        guard let reader = file.reader else { return }
        try file.identify()
        let facts = try reader.source.look()
        if !file.isCompressed, facts.size != file.position.sizeSeen { file.lastChange = now }
        file.note(facts)
        try file.identify()
        if file.position.generation.isEmpty {
            // Empty, or nothing but NULs: there is no log yet to read or to finish.
            return settle(file, facts, hasMore: false, unread: 0, end(of: file, now, wall), now)
        }
        if !file.isCompressed, facts.size < reader.offset { return logs.restart(file, .truncated, now: now) }
        let meaning = end(of: file, now, wall)
        var room = buffer
        if let target = file.target {
            // A run with an end goes no further than the file went when it began.
            let wanted = max(0, target - reader.offset) + reader.guardBytes.count
            room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, wanted)])
        }
        var counts = FramingCounts()
        let before = reader.offset
        let chunk: LogChunk
        do {
            chunk = try reader.read(room) { bytes, isAtEnd in
                let reachesTarget = file.target.map { before + bytes.count >= $0 } ?? false
                file.isAtEnd = isAtEnd || reachesTarget
                return frame(bytes, file, file.isAtEnd ? meaning : .more, &counts, &queue)
            }
        } catch let error as ShipError {
            throw error
        } catch {
            throw ShipError("read", file.currentPath, "\(error)", exitCode: .internalFault)
        }
        guard case .bytes(let count, _) = chunk else { return logs.restart(file, chunk, now: now) }
        try file.mark(facts)
        file.ledger.complete(max(file.framedEnd, before)..<max(file.framedEnd, reader.offset))
        file.framedEnd = reader.offset
        account(file, reader.offset - before, counts)
        settle(file, facts, hasMore: !file.isAtEnd, unread: before + count - reader.offset, meaning, now)
    }

    /// What is known of the file after a reading.
    private func settle(
        _ file: TailedFile, _ facts: FileFacts, hasMore: Bool, unread: Int, _ meaning: FramingEnd, _ now: UInt64
    ) {
        file.heldUntil = nil
        if hasMore {
            file.pendingSince = file.pendingSince ?? now
            return
        }
        file.pendingSince = nil
        file.seen = facts
        if meaning == .more, unread > 0 { file.heldUntil = file.lastChange &+ linger }
        if meaning == .finished {
            file.phase = .settling
        }
    }

    private func frame(
        _ bytes: UnsafeRawBufferPointer, _ file: TailedFile, _ end: FramingEnd, _ counts: inout FramingCounts,
        _ queue: inout SendQueue
    ) -> Int {
        if keys[file.id] == nil {
            keys[file.id] = SourceKeyWriter(
                host: hostName, file: file.position.name, generation: file.position.generation)
        }
        guard var writer = keys[file.id] else { return 0 }
        keys[file.id] = nil
        defer { keys[file.id] = writer }
        return frame(bytes, file, end, &counts, &composer, &writer, &queue)
    }

    /// What changes with each line comes as `inout` or is a local: properties of objects would be checked for exclusive
    /// access at every line.
    private func frame(
        _ bytes: UnsafeRawBufferPointer, _ file: TailedFile, _ end: FramingEnd, _ counts: inout FramingCounts,
        _ composer: inout RecordComposer, _ writer: inout SourceKeyWriter, _ queue: inout SendQueue
    ) -> Int {
        let number = file.id
        var framedEnd = file.framedEnd
        defer { file.framedEnd = framedEnd }
        return framer.frame(
            bytes, offset: file.readOffset, end: end, state: &file.framing, counts: &counts
        ) { record, data in
            if record.offset > framedEnd { file.ledger.complete(framedEnd..<record.offset) }
            framedEnd = record.end
            let oversize = composer.add(record, data, file: number, keys: &writer, into: &queue)
            if let oversize { keep(oversize) }
        }
    }

    /// The first failure to set a record aside; it ends the run before anything after it counts as read.
    private var aside: (any Error)?

    private func keep(_ record: RecordComposer.Oversize) {
        guard aside == nil else { return }
        do { try setAside(record) } catch { aside = error }
    }

    private func account(_ file: TailedFile, _ taken: Int, _ counts: FramingCounts) {
        file.account.bytesRead += taken
        file.account.linesSplit += counts.linesSplit
        file.account.linesCut += counts.linesCut
        file.account.bytesCut += counts.bytesCut
        file.account.nulBytesSkipped += counts.nulBytesSkipped
    }

    /// The file is left alone for the rest of the run; its successor may go on.
    private func fail(_ file: TailedFile, _ error: ShipError) {
        file.account.problem = error.diagnostic
        file.isStuck = true
        problems.append(error)
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for a negative duration.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}
