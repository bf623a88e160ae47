// One row: the columns in the order of the row schema, each checked, cut to its width and escaped on the way.
// Absent and empty values are left out.

import CivilTime

/// All that a row says.
struct RowContent {
    enum TimeSource { case drupal, syslog, arrival }

    var eventTime: Timestamp
    var timeSource: TimeSource
    var parsed: ParsedLine
    /// The text for `message`: Drupal's own, or the header's.
    var message: Bytes
    var drupal: DrupalFields?
    var status: ParseStatus
    /// The piece as it came, for `raw_line`.
    var piece: Bytes
    var source: SourceKey?
    /// Set when the record held more than one piece.
    var subsequence: Int?
}

final class RowEncoder {
    private let row = RowBuffer()
    private let sites: SiteTable
    private let rawLine: TransformSettings.RawLine
    private let structuredData = StructuredDataWriter()
    private let eventTime = TimeText()
    private let arrivalTime = TimeText()
    private let host = CleanText(byteCountMax: TextColumn.host.byteCountMax)
    private let program = CleanText(byteCountMax: TextColumn.program.byteCountMax)
    /// Columns that were cut, one bit each.
    private var cutColumns: UInt32 = 0
    private var hasReplacements = false

    init(settings: TransformSettings) {
        sites = SiteTable(settings.sites)
        rawLine = settings.rawLine
    }

    /// The row of the last call of `encode`.
    var bytes: Bytes { row.bytes }

    func encode(_ content: RowContent, origin: RecordOrigin) -> RowFacts {
        row.reset()
        cutColumns = 0
        hasReplacements = false
        row.put("{\"event_time\":\"")
        row.put(time: content.eventTime, eventTime)
        switch content.timeSource {
        case .drupal: row.put("\",\"event_time_source\":\"drupal\"")
        case .syslog: row.put("\",\"event_time_source\":\"syslog\"")
        case .arrival: row.put("\",\"event_time_source\":\"arrival\"")
        }
        let host = host.clean(content.parsed.host)
        put(host, .host, self.host.outcome)
        let program = program.clean(content.parsed.program)
        put(program, .program, self.program.outcome)
        put(content.parsed.pid, .pid)
        put(content.parsed.messageID, .messageID)
        let severity = content.parsed.severity ?? content.drupal?.severity.flatMap { (0...7).contains($0) ? $0 : nil }
        if let facility = content.parsed.facility {
            row.put(",\"facility\":")
            row.put(number: Int64(facility))
        }
        if let severity {
            row.put(",\"severity\":")
            row.put(number: Int64(severity))
            row.put(",\"severity_name\":\"")
            row.put(SyslogNames.severities[severity])
            row.put("\"")
        }
        putStructuredData(content.parsed.structuredData)
        put(content.message, .message)
        var site = Bytes.none
        if let drupal = content.drupal { site = putDrupal(drupal) }
        putParse(content)
        putOrigin(content, origin)
        return RowFacts(
            eventTime: content.eventTime, arrival: origin.arrival, status: content.status, severity: severity,
            site: site, host: host, program: program)
    }

    @inline(__always)
    private func put(_ text: Bytes, _ column: TextColumn, _ outcome: TextOutcome = []) {
        guard text.count > 0 else { return }
        row.put(column.opening)
        note(row.put(text: text, byteCountMax: column.byteCountMax).union(outcome), column)
        row.put("\"")
    }

    @inline(__always)
    private func note(_ outcome: TextOutcome, _ column: TextColumn) {
        guard !outcome.isEmpty else { return }
        if outcome.contains(.cut) { cutColumns |= 1 << UInt32(column.rawValue) }
        if outcome.contains(.replaced) { hasReplacements = true }
    }

    private func putStructuredData(_ data: StructuredData) {
        switch data {
        case .none: return
        case .elements(let elements):
            let (text, outcome) = structuredData.json(elements: elements)
            put(text, .structuredData, outcome)
            note(outcome, .structuredData)
        case .json(let text): putJSON(text)
        }
    }

    /// JSON cannot be cut and stay JSON, so it is in the row whole or not at all; the raw line has it then.
    private func putJSON(_ text: Bytes) {
        guard isParsableJSON(text) else { return note(.replaced, .structuredData) }
        let before = row.count
        row.put(TextColumn.structuredData.opening)
        // Bytes that are no UTF-8 grow when they are replaced.
        let outcome = row.put(text: text, byteCountMax: TextColumn.structuredData.byteCountMax)
        if outcome.contains(.cut) { row.cut(to: before) } else { row.put("\"") }
        note(outcome, .structuredData)
    }

    private func putDrupal(_ drupal: DrupalFields) -> Bytes {
        var site = Bytes.none
        if drupal.baseURL.count > 0 {
            let found = sites.site(of: drupal.baseURL)
            site = found.site
            put(site, .site, found.outcome)
        }
        put(drupal.baseURL, .drupalBaseURL)
        put(drupal.type, .drupalType)
        put(drupal.ip, .drupalIP)
        put(drupal.requestURI, .drupalRequestURI)
        put(drupal.referer, .drupalReferer)
        if let uid = drupal.uid {
            row.put(",\"drupal_uid\":")
            row.put(number: uid)
        }
        put(drupal.link, .drupalLink)
        return site
    }

    private func putParse(_ content: RowContent) {
        if let format = content.parsed.format {
            row.put(",\"record_format\":\"")
            row.put(format.name)
            row.put("\"")
        }
        switch content.status {
        case .ok: row.put(",\"parse_status\":\"ok\"")
        case .ambiguous: row.put(",\"parse_status\":\"ambiguous\"")
        case .continuation: row.put(",\"parse_status\":\"continuation\"")
        case .partial: row.put(",\"parse_status\":\"partial\"")
        case .unparsed: row.put(",\"parse_status\":\"unparsed\"")
        }
        let isWanted =
            switch rawLine {
            case .always: true
            case .failed: content.status != .ok || hasReplacements
            case .never: false
            }
        if isWanted { putRaw(content.piece) }
    }

    /// The piece as text when a row can hold it, else in base64.
    private func putRaw(_ piece: Bytes) {
        guard piece.count > 0 else { return }
        let before = row.count
        row.put(TextColumn.rawLine.opening)
        let outcome = row.put(text: piece, byteCountMax: TextColumn.rawLine.byteCountMax)
        if outcome.contains(.replaced) {
            row.cut(to: before)
            row.put(TextColumn.rawBase64.opening)
            note(row.put(base64: piece, byteCountMax: TextColumn.rawBase64.byteCountMax), .rawBase64)
        } else {
            note(outcome, .rawLine)
        }
        row.put("\"")
    }

    private func putOrigin(_ content: RowContent, _ origin: RecordOrigin) {
        if origin.sequenceNumber.count > TextColumn.sequenceNumber.byteCountMax { note(.cut, .sequenceNumber) }
        if let shardID = origin.shardID, shardID.utf8.count > TextColumn.shardID.byteCountMax { note(.cut, .shardID) }
        if cutColumns != 0 { putTruncatedFields() }
        if let source = content.source {
            row.put(",\"source_host\":\"")
            row.put(plain: source.host)
            row.put("\",\"source_file\":\"")
            row.put(plain: source.file)
            row.put("\",\"source_offset\":")
            row.put(number: source.offset)
        }
        if let shardID = origin.shardID {
            var shardID = shardID
            shardID.withUTF8 { put(Bytes($0), .shardID) }
        }
        put(origin.sequenceNumber, .sequenceNumber)
        if let subsequence = content.subsequence {
            row.put(",\"subsequence\":")
            row.put(number: Int64(subsequence))
        }
        row.put(",\"arrival_time\":\"")
        row.put(time: origin.arrival, arrivalTime)
        row.put("\"}\n")
    }

    private func putTruncatedFields() {
        row.put(",\"truncated_fields\":\"")
        var isFirst = true
        for column in TextColumn.allCases where cutColumns & 1 << UInt32(column.rawValue) != 0 {
            if !isFirst { row.put(",") }
            row.put(column.name)
            isFirst = false
        }
        row.put("\"")
    }
}
