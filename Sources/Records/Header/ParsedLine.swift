// What the header parsers find in one piece: slices of it, nothing copied. Which of the slices become which columns
// is the transformer's business.

import CivilTime

/// The header forms that a row can name in `record_format`.
enum RecordFormat {
    case rfc3164, rfc5424, fluentd, json

    var name: StaticString {
        switch self {
        case .rfc3164: "rfc3164"
        case .rfc5424: "rfc5424"
        case .fluentd: "fluentd"
        case .json: "json"
        }
    }
}

/// A timestamp as the header has it, before year and zone are added.
struct HeaderTime {
    enum Kind { case absent, instant, local, instantWithoutYear, localWithoutYear }
    var kind: Kind
    /// As written; the year is 0 where there is none.
    var fields: CivilDateTime
    /// Seconds east of UTC, for `instant`.
    var offsetSeconds = 0

    static let absent = HeaderTime(kind: .absent, fields: CivilDateTime(year: 0, month: 1, day: 1))

    init(kind: Kind, fields: CivilDateTime) {
        self.kind = kind
        self.fields = fields
    }

    init(_ scanned: ScannedDateTime) {
        kind = scanned.offsetSeconds == nil ? .local : .instant
        fields = scanned.fields
        offsetSeconds = scanned.offsetSeconds ?? 0
    }
}

/// The parts of one piece. Empty slices are absent parts.
struct ParsedLine {
    /// Nil when no header was found: then `message` is the whole text.
    var format: RecordFormat?
    /// 0...23
    var facility: Int?
    /// 0...7
    var severity: Int?
    var time = HeaderTime.absent
    var host = Bytes.none
    var program = Bytes.none
    var pid = Bytes.none
    var messageID = Bytes.none
    var structuredData = StructuredData.none
    var message = Bytes.none
    /// Something of the header could not be put into a column.
    var isPartial = false
    /// The piece starts a record of its own: a header, or at least a priority.
    var startsRecord = false
    /// The message ends where the piece ends, so that further lines can be joined to it.
    var canBeJoined = true

    mutating func setPriority(_ value: Int) {
        facility = value >> 3
        severity = value & 7
    }
}

/// Structured data as it came.
enum StructuredData {
    case none
    /// `[id name="value"]…`, checked (RFC 5424 section 6.3).
    case elements(Bytes)
    /// A JSON object out of a JSON record.
    case json(Bytes)
}

/// `<PRI>` at the start: 0...191 in one to three digits (RFC 5424 section 6.2.1, RFC 3164 section 4.1.1). Leading
/// zeros, which both forbid, are read: they leave no doubt.
func scanPriority(_ line: Bytes, at i: Int) -> (value: Int, end: Int)? {
    guard i < line.count, line[i] == Ascii.less,
        let (value, end) = line.number(at: i + 1, digitCountMax: 3), value <= 191,
        end < line.count, line[end] == Ascii.greater
    else { return nil }
    return (value, end + 1)
}

/// The line without what framing leaves on it: NULs at the start (a log file that was truncated under its writer),
/// CR, LF and NUL at the end.
func trimFraming(_ line: Bytes) -> Bytes {
    var start = 0
    var end = line.count
    while end > start {
        let byte = line[end &- 1]
        guard byte == Ascii.lineFeed || byte == Ascii.carriageReturn || byte == 0 else { break }
        end &-= 1
    }
    while start < end, line[start] == 0 { start &+= 1 }
    return line.part(start, end)
}
