// What schemas/row.schema.json says, as a value: the columns in their order, with their types and widths. A test
// compares the two. Pure.

package struct RowRules: Sendable {
    package enum Kind: Sendable, Equatable {
        /// At most so many bytes of UTF-8.
        case text(bytesMax: Int)
        case words([String])
        /// RFC 3339, UTC, at most six fraction digits.
        case time
        case integer(ClosedRange<Int64>)
        /// Decimal digits, as text.
        case digits(bytesMax: Int)
    }

    package struct Column: Sendable, Equatable {
        package var name: String
        package var kind: Kind
        package var isRequired = false
    }

    package let columns: [Column]

    /// The rows that `sluice archive` writes.
    package static let standard = RowRules(columns: [
        Column(name: "event_time", kind: .time, isRequired: true),
        Column(name: "event_time_source", kind: .words(["drupal", "syslog", "arrival"]), isRequired: true),
        Column(name: "host", kind: .text(bytesMax: 255)),
        Column(name: "program", kind: .text(bytesMax: 255)),
        Column(name: "pid", kind: .text(bytesMax: 128)),
        Column(name: "msg_id", kind: .text(bytesMax: 32)),
        Column(name: "facility", kind: .integer(0...23)),
        Column(name: "severity", kind: .integer(0...7)),
        Column(
            name: "severity_name",
            kind: .words(["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"])),
        Column(name: "structured_data", kind: .text(bytesMax: 16_384)),
        Column(name: "message", kind: .text(bytesMax: 65_535)),
        Column(name: "site", kind: .text(bytesMax: 255)),
        Column(name: "drupal_base_url", kind: .text(bytesMax: 512)),
        Column(name: "drupal_type", kind: .text(bytesMax: 255)),
        Column(name: "drupal_ip", kind: .text(bytesMax: 128)),
        Column(name: "drupal_request_uri", kind: .text(bytesMax: 8_192)),
        Column(name: "drupal_referer", kind: .text(bytesMax: 8_192)),
        Column(name: "drupal_uid", kind: .integer(.min ... .max)),
        Column(name: "drupal_link", kind: .text(bytesMax: 1_024)),
        Column(name: "record_format", kind: .words(["rfc3164", "rfc5424", "fluentd", "json"])),
        Column(
            name: "parse_status", kind: .words(["ok", "ambiguous", "continuation", "partial", "unparsed"]),
            isRequired: true),
        Column(name: "raw_line", kind: .text(bytesMax: 65_535)),
        Column(name: "raw_base64", kind: .text(bytesMax: 65_535)),
        Column(name: "truncated_fields", kind: .text(bytesMax: 255)),
        Column(name: "source_host", kind: .text(bytesMax: 255)),
        Column(name: "source_file", kind: .text(bytesMax: 255)),
        Column(name: "source_offset", kind: .integer(0 ... .max)),
        Column(name: "shard_id", kind: .text(bytesMax: 64)),
        Column(name: "sequence_number", kind: .digits(bytesMax: 64)),
        Column(name: "subsequence", kind: .integer(0...Int64(Int32.max))),
        Column(name: "arrival_time", kind: .time, isRequired: true),
    ])

    /// The longest row, with its line feed.
    package static let rowBytesMax = 4_000_000
}
