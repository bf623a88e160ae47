// Tells the header forms apart, one piece at a time, and hands it to the parser of its form. A piece without a header
// is all message.

struct HeaderParser {
    private let format: TransformSettings.Format
    private let json = JSONRecordParser()

    init(format: TransformSettings.Format) { self.format = format }

    /// True when records of this job may be JSON.
    var readsJSON: Bool {
        switch format {
        case .auto, .fluentd, .json: true
        case .rfc3164, .rfc5424, .lines: false
        }
    }

    /// The JSON object at the start of `text`, and the place after its line; nil when there is none or its line holds
    /// more. The object may have line feeds between its members: then it takes several lines of `text`.
    func parseJSON(_ text: Bytes, into parsed: inout ParsedLine) -> Int? {
        guard readsJSON else { return nil }
        let start = text.skippingSpaces(from: 0)
        guard start < text.count, text[start] == Ascii.openBrace else { return nil }
        let lineEnd = text.place(of: Ascii.lineFeed, from: start)
        var outcome = json.parse(text.part(start, lineEnd), format: format, into: &parsed)
        if case .unfinished = outcome, lineEnd < text.count {
            let end = min(text.count, start + JSONRecordParser.objectByteCountMax)
            outcome = json.parse(text.part(start, end), format: format, into: &parsed)
        }
        guard case .object(let length) = outcome else { return nil }
        let end = text.place(of: Ascii.lineFeed, from: start + length)
        guard text.part(start + length, end).isBlank else { return nil }
        if parsed.host.isEmpty, parsed.program.isEmpty, parsed.time.kind == .absent {
            adoptInnerHeader(&parsed)
        }
        return end
    }

    /// Fluentd without a parser, and Fluent Bit's `log`: the message is the line as it stood in the file.
    private func adoptInnerHeader(_ record: inout ParsedLine) {
        var inner = ParsedLine()
        parseText(trimFraming(record.message), format: .auto, into: &inner)
        guard inner.format != nil else { return }
        inner.format = record.format
        inner.facility = inner.facility ?? record.facility
        inner.severity = inner.severity ?? record.severity
        inner.isPartial = inner.isPartial || record.isPartial
        inner.startsRecord = true
        inner.canBeJoined = false
        if inner.pid.isEmpty { inner.pid = record.pid }
        record = inner
    }

    /// Any form but JSON.
    func parseText(_ line: Bytes, into parsed: inout ParsedLine) { parseText(line, format: format, into: &parsed) }

    private func parseText(_ line: Bytes, format: TransformSettings.Format, into parsed: inout ParsedLine) {
        parsed = ParsedLine()
        parsed.message = line
        let start = skipOctetCount(line)
        var i = start
        if format != .lines, format != .json, format != .fluentd, let (priority, end) = scanPriority(line, at: start) {
            parsed.setPriority(priority)
            parsed.startsRecord = true
            i = end
        }
        let isFound =
            switch format {
            case .auto:
                RFC5424Parser.parse(line, from: i, into: &parsed) || RFC3164Parser.parse(line, from: i, into: &parsed)
            case .rfc5424: RFC5424Parser.parse(line, from: i, needsVersion: i > start, into: &parsed)
            case .rfc3164: RFC3164Parser.parse(line, from: i, into: &parsed)
            case .lines, .fluentd, .json: false
            }
        parsed.startsRecord = parsed.startsRecord || isFound
    }

    /// `123 <34>…`: the frame length of RFC 6587 left on the line. Only before a priority.
    private func skipOctetCount(_ line: Bytes) -> Int {
        guard let (_, end) = line.number(at: 0, digitCountMax: 9), line.begins(with: " <", at: end),
            scanPriority(line, at: end + 1) != nil
        else { return 0 }
        return end + 1
    }
}
