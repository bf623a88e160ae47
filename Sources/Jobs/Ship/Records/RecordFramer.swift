// Cuts a log's bytes into records: one line each, with the header-less lines after it. Pure. What must stay true: a
// record's bytes and the place after it depend on the log's bytes from the record's start on, and on where the log ends;
// so a restart at any record's offset cuts alike. Nothing but runs of NUL at the start of a line is left out, and in
// `cut` the rest of a line that is too long; both are counted.
import Glibc
import Records

/// One record's worth of a log.
struct FramedRecord: Equatable {
    /// Where it begins in the log.
    var offset: Int
    /// Where the next one begins: what a restart may skip to once this one is stored.
    var end: Int
    /// Lines that begin in it.
    var lines: Int
    /// Its first line bears a header of its own (known only when `FramingRules.needsStarts`).
    var startsRecord = false
    /// Its first line is a JSON object (known as above).
    var isJSON = false
    /// A piece of a line that is longer than a record may be.
    var isPiece = false
    /// The rest of the line is left out; a mark goes after the bytes.
    var isCut = false
}

struct FramingRules: Equatable {
    /// Most bytes of a record's data.
    var recordBytesMax: Int
    /// Header-less lines belong to the record before them.
    var joins: Bool
    /// A line longer than a record loses its rest, instead of being sent in pieces.
    var cutsLongLines: Bool
    /// Somebody wants to know `startsRecord`, even without joining.
    var needsStarts: Bool

    /// The archiver joins no further: it would split again what is longer.
    static let joinedBytesMax = 65_535
    /// What stands after a line that was cut.
    static let cutMark = Array(" [cut]".utf8)
}

/// What the end of the bytes at hand means.
enum FramingEnd {
    /// More may follow at any moment: a last record that could go on waits.
    case more
    /// No more is expected soon: whole lines are records; a line without line feed waits.
    case quiet
    /// The log is finished: what is left is the last line.
    case finished
}

/// What a framer must remember from one piece of a log to the next.
struct FramerState: Equatable {
    /// The next byte belongs to a line of which a piece was handed out.
    var isInsideLine = false
}

struct FramingCounts: Equatable {
    var nulBytesSkipped = 0
    var bytesCut = 0
    var linesSplit = 0
    var linesCut = 0
}

/// Cuts one buffer after the other. Not Sendable: the header parser keeps buffers.
final class RecordFramer {
    let rules: FramingRules
    private let starts = RecordStart()

    init(rules: FramingRules) {
        precondition(rules.recordBytesMax > FramingRules.cutMark.count + 4, "a record must hold a UTF-8 character")
        self.rules = rules
    }

    /// A buffer of this size always holds a whole record, so that reading goes on.
    var bufferBytesMin: Int { rules.recordBytesMax + (64 << 10) }

    /// Hands the records at the start of `bytes` to `emit` and says how many bytes they took; the rest is to be
    /// given again with what follows.
    ///
    /// - Parameter offset: of the first byte, in the log.
    func frame(
        _ bytes: UnsafeRawBufferPointer, offset: Int, end: FramingEnd, state: inout FramerState,
        counts: inout FramingCounts, emit: (FramedRecord, UnsafeRawBufferPointer) throws -> Void
    ) rethrows -> Int {
        var at = 0
        // A copy: asking a stored property would be checked for exclusive access at every line.
        var starts = starts
        /// Whether the line at `at` bears a header, when that is known already.
        var known: LineStart?
        while at < bytes.count {
            if state.isInsideLine {
                let taken = try continueLine(bytes, at, offset, end, &state, &counts, emit)
                if taken == 0 { return at }
                at += taken
                continue
            }
            if bytes[at] == 0 {
                let run = Self.nulRun(bytes, from: at)
                counts.nulBytesSkipped += run
                at += run
                known = nil
                continue
            }
            let lineFeed = Self.lineFeed(bytes, from: at)
            let lineEnd = lineFeed ?? bytes.count
            if lineEnd - at > rules.recordBytesMax {
                let start = known ?? lineStart(Self.part(bytes, at, lineEnd), &starts)
                known = nil
                at += try beginLongLine(bytes, at, offset, start, &state, &counts, emit)
                continue
            }
            if lineFeed == nil, end != .finished { return at }
            let start = known ?? lineStart(Self.part(bytes, at, lineEnd), &starts)
            known = nil
            var record = FramedRecord(
                offset: offset + at, end: offset + min(lineEnd + 1, bytes.count), lines: 1,
                startsRecord: start.startsRecord, isJSON: start.startsRecord && !start.canBeJoined)
            var textEnd = lineEnd
            if rules.joins, start.canBeJoined {
                guard let joined = join(bytes, at, lineEnd, end, &known, &starts) else { return at }
                record.lines += joined.lines
                textEnd = joined.textEnd
                record.end = offset + min(textEnd + 1, bytes.count)
            }
            try emit(record, Self.part(bytes, at, textEnd))
            at = record.end - offset
        }
        return at
    }

    private struct LineStart {
        var startsRecord = false
        var canBeJoined = false
    }

    private func lineStart(_ line: UnsafeRawBufferPointer, _ starts: inout RecordStart) -> LineStart {
        guard rules.joins || rules.needsStarts else { return LineStart() }
        let startsRecord = starts.startsRecord(line)
        return LineStart(startsRecord: startsRecord, canBeJoined: startsRecord && starts.canBeJoined)
    }

    /// The header-less lines after the line that ends at `lineEnd`; nil while what follows could still be one.
    private func join(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ lineEnd: Int, _ end: FramingEnd, _ known: inout LineStart?,
        _ starts: inout RecordStart
    ) -> (lines: Int, textEnd: Int)? {
        let joinedMax = min(FramingRules.joinedBytesMax, rules.recordBytesMax)
        var textEnd = lineEnd
        var lines = 0
        while true {
            let next = textEnd + 1
            if next >= bytes.count { return end == .more ? nil : (lines, textEnd) }
            if bytes[next] == 0 { return (lines, textEnd) }
            let lineFeed = Self.lineFeed(bytes, from: next)
            let nextEnd = lineFeed ?? bytes.count
            if nextEnd - at > joinedMax { return (lines, textEnd) }
            if lineFeed == nil {
                switch end {
                case .more: return nil
                case .quiet: return (lines, textEnd)
                case .finished: break
                }
            }
            let start = lineStart(Self.part(bytes, next, nextEnd), &starts)
            if start.startsRecord {
                known = start
                return (lines, textEnd)
            }
            textEnd = nextEnd
            lines += 1
        }
    }

    // MARK: - Lines longer than a record

    private func beginLongLine(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ offset: Int, _ start: LineStart, _ state: inout FramerState,
        _ counts: inout FramingCounts, _ emit: (FramedRecord, UnsafeRawBufferPointer) throws -> Void
    ) rethrows -> Int {
        let room = rules.cutsLongLines ? rules.recordBytesMax - FramingRules.cutMark.count : rules.recordBytesMax
        let count = Self.pieceBytes(bytes, from: at, room)
        let record = FramedRecord(
            offset: offset + at, end: offset + at + count, lines: 1, startsRecord: start.startsRecord, isPiece: true,
            isCut: rules.cutsLongLines)
        if rules.cutsLongLines { counts.linesCut += 1 } else { counts.linesSplit += 1 }
        state.isInsideLine = true
        try emit(record, Self.part(bytes, at, at + count))
        return count
    }

    /// The next piece of a long line, or its skipped rest; 0 when more bytes are needed.
    private func continueLine(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ offset: Int, _ end: FramingEnd, _ state: inout FramerState,
        _ counts: inout FramingCounts, _ emit: (FramedRecord, UnsafeRawBufferPointer) throws -> Void
    ) rethrows -> Int {
        let lineFeed = Self.lineFeed(bytes, from: at)
        let lineEnd = lineFeed ?? bytes.count
        if rules.cutsLongLines {
            counts.bytesCut += lineEnd - at
            if lineFeed != nil { state.isInsideLine = false }
            return min(lineEnd + 1, bytes.count) - at
        }
        var record = FramedRecord(offset: offset + at, end: 0, lines: 0, isPiece: true)
        if lineEnd - at > rules.recordBytesMax {
            let count = Self.pieceBytes(bytes, from: at, rules.recordBytesMax)
            record.end = record.offset + count
            try emit(record, Self.part(bytes, at, at + count))
            return count
        }
        if lineFeed == nil, end != .finished { return 0 }
        state.isInsideLine = false
        record.end = offset + min(lineEnd + 1, bytes.count)
        // A line that ended just where a piece ended leaves nothing but its line feed.
        if lineEnd > at { try emit(record, Self.part(bytes, at, lineEnd)) }
        return record.end - offset - at
    }

    /// The longest part that ends between characters, or just `room` when it is not UTF-8.
    private static func pieceBytes(_ bytes: UnsafeRawBufferPointer, from at: Int, _ room: Int) -> Int {
        for back in 0..<4 where bytes[at + room - back] & 0xC0 != 0x80 { return room - back }
        return room
    }

    // MARK: - Bytes

    private static func part(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    private static func lineFeed(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, start < bytes.count,
            let found = memchr(base + start, 0x0A, bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    private static func nulRun(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var end = start
        while end < bytes.count, bytes[end] == 0 { end += 1 }
        return end - start
    }
}
