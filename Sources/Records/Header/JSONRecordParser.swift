// JSON records: Fluentd's `{"host","ident","pid","message","time"}`, and the key names of Fluent Bit, Vector,
// syslog-ng, rsyslog and the Kinesis Agent. A key that no column holds makes the row `partial`, so that the record
// stays in `raw_line`.

import CivilTime

struct JSONRecordParser {
    private let arena = StringArena()

    private enum Key {
        case host, ident, program, pid, messageID, message, time, facility, severity, priority, structuredData
        case other
    }

    /// Longer objects are not read as JSON: with their decoded strings they would not fit into the memory of a run.
    static let objectByteCountMax = 16 << 20

    enum Outcome {
        /// The place after the object.
        case object(end: Int)
        case notJSON
        /// The text ended inside the object.
        case unfinished
    }

    /// Parses the object at the start of `text`, which begins with its brace.
    /// Of keys that come twice the last one counts, as in most readers.
    func parse(_ text: Bytes, format: TransformSettings.Format, into parsed: inout ParsedLine) -> Outcome {
        guard text.count <= Self.objectByteCountMax else { return .notJSON }
        var scanner = JSONScanner(text, arena: arena)
        var found = ParsedLine()
        var hasFluentdKeysOnly = true
        var hasIdent = false
        var hasMessage = false
        let isObject = scanner.scanObject { name, value in
            let key = JSONRecordParser.key(name)
            switch key {
            case .ident: hasIdent = true
            case .message: hasMessage = true
            case .program, .severity, .facility, .priority, .other: hasFluentdKeysOnly = false
            default: break
            }
            if case .null = value { return }
            if !JSONRecordParser.store(value, key, into: &found) { found.isPartial = true }
        }
        guard isObject else { return scanner.place >= text.count ? .unfinished : .notJSON }
        switch format {
        case .fluentd: found.format = .fluentd
        case .json: found.format = .json
        default:
            let isFluentd = hasMessage && (hasIdent || (hasFluentdKeysOnly && !found.host.isEmpty))
            found.format = isFluentd ? .fluentd : .json
        }
        if !hasMessage {
            // Without a text for people the object itself is the message, and nothing of it is left out.
            found.message = text.part(0, scanner.place)
            found.isPartial = false
        }
        found.startsRecord = true
        found.canBeJoined = false
        parsed = found
        return .object(end: scanner.place)
    }

    private static func key(_ name: Bytes) -> Key {
        for (known, key) in names where name.equals(known) { return key }
        return .other
    }

    private static let names: [(StaticString, Key)] = [
        ("message", .message), ("host", .host), ("ident", .ident), ("pid", .pid), ("time", .time),
        ("hostname", .host), ("fromhost", .host), ("HOST", .host),
        ("program", .program), ("programname", .program), ("appname", .program), ("app_name", .program),
        ("PROGRAM", .program),
        ("procid", .pid), ("proc_id", .pid), ("processid", .pid), ("PID", .pid),
        ("msgid", .messageID), ("msg_id", .messageID), ("MSGID", .messageID),
        ("log", .message), ("msg", .message), ("MESSAGE", .message), ("unmatched_line", .message),
        ("timestamp", .time), ("@timestamp", .time), ("date", .time), ("timereported", .time), ("ISODATE", .time),
        ("DATE", .time),
        ("facility", .facility), ("FACILITY", .facility),
        ("severity", .severity), ("level", .severity), ("PRIORITY", .severity),
        ("pri", .priority),
        ("extradata", .structuredData), ("structured_data", .structuredData),
    ]

    /// Puts a value into its place; false when it has none.
    private static func store(_ value: JSONValue, _ key: Key, into found: inout ParsedLine) -> Bool {
        switch key {
        case .host: found.host = text(value)
        case .ident, .program: found.program = text(value)
        case .pid: found.pid = text(value)
        case .messageID: found.messageID = text(value)
        case .message: found.message = text(value)
        case .time:
            guard let time = time(value) else { return false }
            found.time = time
        case .facility:
            guard let code = SyslogNames.facility(text(value)) else { return false }
            found.facility = code
        case .severity:
            guard let code = SyslogNames.severity(text(value)) else { return false }
            found.severity = code
        case .priority:
            let digits = text(value)
            guard let (code, end) = digits.number(at: 0, digitCountMax: 3), end == digits.count, code <= 191
            else { return false }
            found.setPriority(code)
        case .structuredData:
            guard let data = structuredData(value) else { return false }
            found.structuredData = data
        case .other:
            return false
        }
        return true
    }

    private static func text(_ value: JSONValue) -> Bytes {
        switch value {
        case .string(let text), .number(let text), .boolean(let text), .nested(let text): text
        case .null: .none
        }
    }

    /// A header's text, or seconds since 1970 (milli-, micro- or nanoseconds by their size).
    private static func time(_ value: JSONValue) -> HeaderTime? {
        switch value {
        case .string(let text):
            if let (time, end) = HeaderTimeScanner.scan(text, at: 0), end == text.count { return time }
            return secondsSince1970(text)
        case .number(let digits): return secondsSince1970(digits)
        default: return nil
        }
    }

    private static func secondsSince1970(_ digits: Bytes) -> HeaderTime? {
        guard let (value, wholeEnd) = digits.number(at: 0, digitCountMax: 18) else { return nil }
        var end = wholeEnd
        let microseconds: Int
        switch value {
        case ..<100_000_000_000: microseconds = value * 1_000_000 + scanFraction(digits, &end)
        case ..<100_000_000_000_000: microseconds = value * 1_000 + scanFraction(digits, &end) / 1_000
        case ..<100_000_000_000_000_000: microseconds = value
        default: microseconds = value / 1_000
        }
        guard end == digits.count else { return nil }
        return HeaderTime(kind: .instant, fields: CivilDateTime(Timestamp(microseconds: Int64(microseconds))))
    }

    private static func structuredData(_ value: JSONValue) -> StructuredData? {
        switch value {
        case .nested(let text) where text[0] == Ascii.openBrace: return .json(text)
        case .string(let text):
            if text.isEmpty || text.equals("-") { return StructuredData.none }
            guard text[0] == Ascii.openBracket, case .whole(let end) = StructuredDataScanner.scan(text, at: 0),
                end == text.count
            else { return nil }
            return .elements(text)
        default: return nil
        }
    }
}
