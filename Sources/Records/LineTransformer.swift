// From one user record to its rows: splits it at line feeds, gives header-less lines back to the message they belong
// to, and decides what each piece says. Splitting looks one piece ahead, because only the next piece tells where a
// message ends and whether the record holds more than one.

import CivilTime
import Diagnostics

/// Lines in, rows out, for one worker.
final class LineTransformer {
    /// The piece at hand and the one after it are parsed side by side, and each parser keeps the decoded strings of
    /// its last piece: so there are two.
    private var parser: HeaderParser
    private var nextParser: HeaderParser
    private let drupal: DrupalFormat
    private let clock: LocalClock
    private let encoder: RowEncoder
    private let isLines: Bool

    /// Lines are joined only as far as they fit into `message` and `raw_line`, so that joining never cuts text; what
    /// does not fit is a row of its own.
    static let joinedByteCountMax = 65_535

    init(settings: TransformSettings) throws(TransformSettingsError) {
        guard let clock = LocalClock(identifier: settings.timezone) else {
            throw .unknownTimeZone(settings.timezone)
        }
        do {
            drupal = try DrupalFormat(settings.drupalFormat)
        } catch {
            throw .drupalFormat(settings.drupalFormat, problem: error.diagnostic.cause)
        }
        self.clock = clock
        parser = HeaderParser(format: settings.format)
        nextParser = HeaderParser(format: settings.format)
        encoder = RowEncoder(settings: settings)
        isLines = settings.format == .lines
    }

    typealias Emit = (RowFacts, UnsafeRawBufferPointer) throws -> Void

    func transformLine(_ line: Bytes, _ origin: RecordOrigin, _ emit: Emit) throws {
        let text = trimFraming(line)
        var parsed = ParsedLine()
        if parser.parseJSON(text, into: &parsed) != text.count { parser.parseText(text, into: &parsed) }
        var source = SourceKey(origin.partitionKey)
        source?.offset += Int64(text.place(in: line))
        try put(parsed, text, origin, source, subsequence: nil, emit)
    }

    /// A run of lines that makes one row.
    private struct Piece {
        /// Without the framing at its ends.
        var text: Bytes
        /// Where the line after it starts; beyond the record's end when there is none.
        var next: Int
        var parsed = ParsedLine()
    }

    /// All pieces of one user record. `subsequence` counts the rows of the Kinesis record; rows bear it when there is
    /// more than one.
    func transform(
        _ record: Bytes, _ origin: RecordOrigin, isOnlyUserRecord: Bool, _ subsequence: inout Int, _ emit: Emit
    ) throws {
        let end = endOfLines(record)
        if isOnlyUserRecord, record.place(of: Ascii.lineFeed, from: 0) >= end {
            // Most records are one line.
            subsequence += 1
            return try transformLine(record, origin, emit)
        }
        var source = SourceKey(origin.partitionKey)
        let recordOffset = source?.offset ?? 0
        var isOnly = isOnlyUserRecord
        var piece = readPiece(record, from: startOfLines(record, end), to: end, readsJSON: true, with: parser)
        let readsJSON = !piece.parsed.canBeJoined
        while true {
            let following = join(&piece, in: record, to: end, readsJSON: readsJSON)
            if following != nil { isOnly = false }
            source?.offset = recordOffset + Int64(piece.text.place(in: record))
            try put(piece.parsed, piece.text, origin, source, subsequence: isOnly ? nil : subsequence, emit)
            subsequence += 1
            guard let following else { return }
            piece = following
            swap(&parser, &nextParser)
        }
    }

    /// Joins the header-less lines after `piece` to it and returns the piece after those; nil at the record's end.
    private func join(_ piece: inout Piece, in record: Bytes, to end: Int, readsJSON: Bool) -> Piece? {
        var next = piece.next
        while next <= end {
            let lineEnd = min(record.place(of: Ascii.lineFeed, from: next), end)
            if !isLines, record.part(next, lineEnd).isBlank {
                // Blank lines count when more of the message follows; its text then runs over them.
                next = lineEnd + 1
                continue
            }
            let candidate = readPiece(record, from: next, to: end, readsJSON: readsJSON, with: nextParser)
            let joinedEnd = candidate.text.place(in: record) + candidate.text.count
            let start = piece.text.place(in: record)
            let belongs = !isLines && piece.parsed.canBeJoined && !candidate.parsed.startsRecord
            guard belongs, joinedEnd - start <= Self.joinedByteCountMax else { return candidate }
            // A message that was empty begins with the line that is joined.
            let message = piece.parsed.message
            let messageStart = message.isEmpty ? candidate.text.place(in: record) : message.place(in: record)
            piece.parsed.message = record.part(messageStart, joinedEnd)
            piece.text = record.part(start, joinedEnd)
            next = candidate.next
        }
        return nil
    }

    private func readPiece(
        _ record: Bytes, from start: Int, to end: Int, readsJSON: Bool, with parser: HeaderParser
    ) -> Piece {
        var parsed = ParsedLine()
        if readsJSON, let length = parser.parseJSON(record.part(start, end), into: &parsed) {
            let text = trimFraming(record.part(start, start + length))
            return Piece(text: text, next: start + length + 1, parsed: parsed)
        }
        let lineEnd = min(record.place(of: Ascii.lineFeed, from: start), end)
        let text = trimFraming(record.part(start, lineEnd))
        parser.parseText(text, into: &parsed)
        return Piece(text: text, next: lineEnd + 1, parsed: parsed)
    }

    /// Blank lines before the first text are framing; in `lines` format every line is a row.
    private func startOfLines(_ record: Bytes, _ end: Int) -> Int {
        var start = 0
        while !isLines, start < end {
            let lineEnd = min(record.place(of: Ascii.lineFeed, from: start), end)
            guard record.part(start, lineEnd).isBlank, lineEnd < end else { break }
            start = lineEnd + 1
        }
        return start
    }

    private func endOfLines(_ record: Bytes) -> Int {
        var end = record.count
        if isLines {
            if end > 0, record[end - 1] == Ascii.lineFeed { end -= 1 }
            return end
        }
        while end > 0, record[end - 1] == Ascii.lineFeed || record[end - 1] == Ascii.carriageReturn { end -= 1 }
        return end
    }

    private func put(
        _ parsed: ParsedLine, _ text: Bytes, _ origin: RecordOrigin, _ source: SourceKey?, subsequence: Int?,
        _ emit: Emit
    ) throws {
        var content = RowContent(
            eventTime: origin.arrival, timeSource: .arrival, parsed: parsed, message: parsed.message, status: .unparsed,
            piece: text, source: source, subsequence: subsequence)
        if parsed.format != nil || isLines { splitDrupal(&content, origin.arrival) }
        if content.timeSource == .arrival, let instant = clock.instant(parsed.time, near: origin.arrival) {
            content.eventTime = RFC3339.clamp(instant)
            content.timeSource = .syslog
        }
        let facts = encoder.encode(content, origin: origin)
        try emit(facts, encoder.bytes)
    }

    /// Looks for Drupal's fields in the message, and finds the status with or without them.
    private func splitDrupal(_ content: inout RowContent, _ arrival: Timestamp) {
        let fields: DrupalFields
        content.status = content.parsed.isPartial ? .partial : .ok
        let time = content.parsed.time
        // Whole minutes and seconds are the same in all zones that are quarters of an hour apart.
        let headerSecond = time.kind == .absent ? nil : time.fields.minute * 60 + time.fields.second
        switch drupal.split(content.message, reference: arrival, headerSecond: headerSecond) {
        case .notDrupal, .continuation:
            // Only Drupal's own identity makes text without fields a further line of a Drupal message.
            if content.parsed.program.holdsDrupal { content.status = .continuation }
            return
        case .ok(let found):
            fields = found
        case .ambiguous(let found):
            fields = found
            content.status = .ambiguous
        case .partial(let found):
            fields = found
            content.status = .partial
        }
        content.drupal = fields
        // A line cut before its message has its text in the fields; where those have none, all of it is the message.
        if content.status != .partial || !fields.message.isEmpty { content.message = fields.message }
        if let timestamp = fields.timestamp, (0...Self.epochMax).contains(timestamp) {
            content.eventTime = Timestamp(seconds: timestamp)
            content.timeSource = .drupal
        }
    }

    /// 9999-12-31T23:59:59Z, the last that a row can say.
    private static let epochMax: Int64 = 253_402_300_799
}

extension UnsafeRawBufferPointer {
    /// Where this slice begins in the bytes that it is a part of.
    fileprivate func place(in whole: UnsafeRawBufferPointer) -> Int {
        guard let start = baseAddress, let wholeStart = whole.baseAddress else { return 0 }
        return start - wholeStart
    }

    /// True when a program name has `drupal` in it, in any letter case. syslog-ng's `program('drupal')` matches so too.
    fileprivate var holdsDrupal: Bool {
        let name: StaticString = "drupal"
        guard count >= name.utf8CodeUnitCount else { return false }
        var matched = 0
        // Its first letter does not come again in the name, so a mismatch can only start anew at that letter.
        for byte in prefix(TextColumn.program.byteCountMax) {
            let letter = byte | 0x20
            matched = letter == name.utf8Start[matched] ? matched + 1 : letter == name.utf8Start[0] ? 1 : 0
            if matched == name.utf8CodeUnitCount { return true }
        }
        return false
    }
}
