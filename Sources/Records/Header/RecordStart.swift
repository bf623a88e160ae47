// Where one record ends and the next begins, for a shipper that has only lines: the same answers as the archiver's
// `LineTransformer` gets from `HeaderParser` in format `auto`, without looking further into a line than needed.

/// Tells lines that start a record from those that belong to the record before them. Belongs to one worker.
package struct RecordStart {
    /// The archiver joins lines to one message only up to this size of all of them.
    package static let joinedByteCountMax = LineTransformer.joinedByteCountMax

    private let parser = HeaderParser(format: .auto)

    /// Whether lines without a header may be joined to the line that was asked about last. False for JSON objects only:
    /// their message ends with them.
    package private(set) var canBeJoined = true

    package init() {}

    /// True when `line`, without its line feed, bears a header of its own (at least a priority), or is a JSON object.
    /// A blank line does not.
    package mutating func startsRecord(_ line: UnsafeRawBufferPointer) -> Bool {
        let text = trimFraming(line)
        canBeJoined = true
        guard text.count > 0 else { return false }
        // A timestamp at the head is a header for `auto`, whatever follows it. JSON begins with a brace.
        if HeaderTimeScanner.isPlainBSD(text) { return true }
        if text[0] == Ascii.less, scanPriority(text, at: 0) != nil { return true }
        if HeaderTimeScanner.scan(text, at: 0) != nil { return true }
        var parsed = ParsedLine()
        if parser.parseJSON(text, into: &parsed) != text.count { parser.parseText(text, into: &parsed) }
        canBeJoined = parsed.canBeJoined
        return parsed.startsRecord
    }
}
