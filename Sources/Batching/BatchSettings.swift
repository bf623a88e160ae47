/// The settings that made a batch. A replay uses these and not today's, so that it makes the same bytes.
package struct BatchSettings: Codable, Sendable, Equatable {
    /// `TransformSettings`, as JSON: batches do not look into it.
    package var transform: JSONValue
    package var prefix: String
    /// `arrival` or `event`.
    package var partitionTime: String
    package var gzipLevel: Int
    /// The compressor, `zlib 1.2.13` or `libdeflate.so.0`: another one may make other bytes of the same rows.
    package var gzipEngine: String
    /// Rows are compressed in pieces of this many bytes at most.
    package var chunkBytes: Int

    package init(
        transform: JSONValue, prefix: String, partitionTime: String, gzipLevel: Int, gzipEngine: String,
        chunkBytes: Int
    ) {
        self.transform = transform
        self.prefix = prefix
        self.partitionTime = partitionTime
        self.gzipLevel = gzipLevel
        self.gzipEngine = gzipEngine
        self.chunkBytes = chunkBytes
    }

    enum CodingKeys: String, CodingKey {
        case transform, prefix
        case partitionTime = "partition_time"
        case gzipLevel = "gzip_level"
        case gzipEngine = "gzip_engine"
        case chunkBytes = "chunk_bytes"
    }
}
