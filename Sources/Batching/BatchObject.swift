package import CivilTime

/// One object of a batch: what lies in the spool and will lie in S3.
package struct BatchObject: Codable, Sendable, Equatable {
    package var key: String
    package var rows: Int
    /// Compressed bytes: the object's length.
    package var bytes: Int
    /// Bytes of the rows before compression.
    package var rowsBytes: Int
    /// SHA-256 of the object, 64 lower-case hexadecimal digits.
    package var sha256: String
    /// SHA-256 of the rows; it stays the same when another zlib compresses them.
    package var rowsSHA256: String
    /// The file's name in the spool directory.
    package var spoolFile: String
    package var firstEvent: Timestamp
    package var lastEvent: Timestamp
    /// The rendered prefix.
    package var partition: String

    package init(
        key: String, rows: Int, bytes: Int, rowsBytes: Int, sha256: String, rowsSHA256: String, spoolFile: String,
        firstEvent: Timestamp, lastEvent: Timestamp, partition: String
    ) {
        self.key = key
        self.rows = rows
        self.bytes = bytes
        self.rowsBytes = rowsBytes
        self.sha256 = sha256
        self.rowsSHA256 = rowsSHA256
        self.spoolFile = spoolFile
        self.firstEvent = firstEvent
        self.lastEvent = lastEvent
        self.partition = partition
    }

    enum CodingKeys: String, CodingKey {
        case key, rows, bytes, sha256, partition
        case rowsBytes = "rows_bytes"
        case rowsSHA256 = "rows_sha256"
        case spoolFile = "spool_file"
        case firstEvent = "first_event"
        case lastEvent = "last_event"
    }
}
