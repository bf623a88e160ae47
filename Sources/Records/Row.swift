// What goes into the transformer beside the bytes, and what comes out of it beside the row.

package import CivilTime

/// Where a payload comes from. Borrowed for one call; what is nil or empty is left out of the row.
package struct RecordOrigin {
    package var shardID: String?
    /// Decimal digits.
    package var sequenceNumber: UnsafeRawBufferPointer
    /// When Kinesis took the record (ApproximateArrivalTimestamp); also the reference for a missing year.
    package var arrival: Timestamp
    package var partitionKey: UnsafeRawBufferPointer

    package init(
        shardID: String? = nil, sequenceNumber: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        arrival: Timestamp, partitionKey: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) {
        self.shardID = shardID
        self.sequenceNumber = sequenceNumber
        self.arrival = arrival
        self.partitionKey = partitionKey
    }
}

/// How well a piece could be told apart.
package enum ParseStatus: String, CaseIterable, Sendable {
    /// Every part of the piece is in a column of its own.
    case ok
    /// Drupal fields that can be split in more than one way.
    case ambiguous
    /// A further line of a Drupal message, under a header of its own and without fields.
    case continuation
    /// Some fields were found, the rest is in `raw_line` only.
    case partial
    /// No header: all of the text is the message.
    case unparsed
}

/// What the batch layer needs to know of a row. Valid only inside the callback: the bytes are borrowed.
package struct RowFacts {
    package var eventTime: Timestamp
    package var arrival: Timestamp
    package var status: ParseStatus
    /// 0 (emerg) to 7 (debug), when the record says so.
    package var severity: Int?
    /// UTF-8 as in the row before JSON escaping, cut to the column's width; empty when absent.
    package var site, host, program: UnsafeRawBufferPointer
}

/// The columns that hold text, each with its width in bytes of UTF-8 (before JSON escaping).
enum TextColumn: Int, CaseIterable {
    case host, program, pid, messageID, structuredData, message, site, drupalBaseURL, drupalType, drupalIP
    case drupalRequestURI, drupalReferer, drupalLink, rawLine, rawBase64, sequenceNumber, shardID

    var byteCountMax: Int {
        switch self {
        case .host, .program, .site, .drupalType: 255
        case .pid, .drupalIP: 128
        case .messageID: 32
        case .shardID, .sequenceNumber: 64
        case .drupalBaseURL: 512
        case .drupalLink: 1_024
        case .drupalRequestURI, .drupalReferer: 8_192
        case .structuredData: 16_384
        case .message, .rawLine, .rawBase64: 65_535
        }
    }

    var name: StaticString {
        switch self {
        case .host: "host"
        case .program: "program"
        case .pid: "pid"
        case .messageID: "msg_id"
        case .structuredData: "structured_data"
        case .message: "message"
        case .site: "site"
        case .drupalBaseURL: "drupal_base_url"
        case .drupalType: "drupal_type"
        case .drupalIP: "drupal_ip"
        case .drupalRequestURI: "drupal_request_uri"
        case .drupalReferer: "drupal_referer"
        case .drupalLink: "drupal_link"
        case .rawLine: "raw_line"
        case .rawBase64: "raw_base64"
        case .sequenceNumber: "sequence_number"
        case .shardID: "shard_id"
        }
    }

    /// `,"name":"`, which the hot path copies as it stands.
    var opening: StaticString {
        switch self {
        case .host: ",\"host\":\""
        case .program: ",\"program\":\""
        case .pid: ",\"pid\":\""
        case .messageID: ",\"msg_id\":\""
        case .structuredData: ",\"structured_data\":\""
        case .message: ",\"message\":\""
        case .site: ",\"site\":\""
        case .drupalBaseURL: ",\"drupal_base_url\":\""
        case .drupalType: ",\"drupal_type\":\""
        case .drupalIP: ",\"drupal_ip\":\""
        case .drupalRequestURI: ",\"drupal_request_uri\":\""
        case .drupalReferer: ",\"drupal_referer\":\""
        case .drupalLink: ",\"drupal_link\":\""
        case .rawLine: ",\"raw_line\":\""
        case .rawBase64: ",\"raw_base64\":\""
        case .sequenceNumber: ",\"sequence_number\":\""
        case .shardID: ",\"shard_id\":\""
        }
    }
}
