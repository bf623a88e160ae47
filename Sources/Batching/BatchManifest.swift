// The commit marker of one batch in S3. A batch counts when its manifest exists; readers that need every record
// exactly once read through manifests. The bytes validate against schemas/manifest.schema.json.

package import CivilTime

package struct BatchManifest: Codable, Sendable, Equatable {
    package static let formatVersion = 1
    /// No manifest is longer: at most 2,500 objects with keys of 1,024 bytes, written twice (key and partition).
    package static let bytesMax = 8 << 20

    /// One object as it lies in S3.
    package struct Object: Codable, Sendable, Equatable {
        package var key: String
        package var partition: String
        package var rows: Int
        package var bytes: Int
        package var rowsBytes: Int
        package var sha256: String
        package var rowsSHA256: String
        package var firstEvent: Timestamp
        package var lastEvent: Timestamp

        init(_ object: BatchObject) {
            key = object.key
            partition = object.partition
            rows = object.rows
            bytes = object.bytes
            rowsBytes = object.rowsBytes
            sha256 = object.sha256
            rowsSHA256 = object.rowsSHA256
            firstEvent = object.firstEvent
            lastEvent = object.lastEvent
        }

        enum CodingKeys: String, CodingKey {
            case key, partition, rows, bytes, sha256
            case rowsBytes = "rows_bytes"
            case rowsSHA256 = "rows_sha256"
            case firstEvent = "first_event"
            case lastEvent = "last_event"
        }
    }

    package var version: Int
    package var job: String
    package var stream: String
    package var streamCreation: Timestamp
    package var shard: String
    package var parents: [String]
    package var first: SequenceNumber
    package var last: SequenceNumber
    package var records: Int
    /// Bytes of the records' data; nil in a manifest that an older program wrote.
    package var recordBytes: Int?
    package var rows: Int
    package var statusCounts: [String: Int]
    /// Key of the manifest before this one on the same shard; nil for its first.
    package var previous: String?
    package var objects: [Object]
    package var firstArrival: Timestamp
    package var lastArrival: Timestamp
    package var firstEvent: Timestamp
    package var lastEvent: Timestamp
    package var gap: GapRecord?
    /// Set when `sluice backfill` made the batch: then it says nothing of how far the job itself has come.
    package var backfill: BackfillMark?
    package var trimHorizon: Timestamp?
    package var horizon: Timestamp?
    package var settings: BatchSettings
    package var createdBy: String

    /// Objects are sorted by key, so that the same batch gives the same bytes.
    package init(intent: BatchIntent) {
        version = Self.formatVersion
        job = intent.job
        stream = intent.stream
        streamCreation = intent.streamCreation
        shard = intent.shard
        parents = intent.parents.sorted()
        first = intent.first
        last = intent.last
        records = intent.records
        recordBytes = intent.recordBytes
        rows = intent.rows
        statusCounts = intent.statusCounts
        previous = intent.previousManifest
        objects = intent.objects.map(Object.init).sorted { $0.key < $1.key }
        firstArrival = intent.firstArrival
        lastArrival = intent.lastArrival
        firstEvent = intent.firstEvent
        lastEvent = intent.lastEvent
        gap = intent.gap
        backfill = intent.backfill
        trimHorizon = intent.trimHorizon
        horizon = intent.horizon
        settings = intent.settings
        createdBy = intent.createdBy
    }

    package func canonicalBytes() throws(DocumentError) -> [UInt8] {
        try CanonicalJSON.encode(self, as: "manifest of \(shard) from \(first)")
    }

    package static func decode(_ bytes: [UInt8]) throws(DocumentError) -> BatchManifest {
        try CanonicalJSON.decode(BatchManifest.self, from: bytes, versionMax: formatVersion, as: "manifest")
    }

    /// True when both commit the same records as the same rows under the same keys. Compressed sizes and hashes may
    /// differ (another zlib), and so may the program's version.
    package func describesSameBatch(as other: BatchManifest) -> Bool {
        func content(_ manifest: BatchManifest) -> [[String]] {
            manifest.objects.map { [$0.key, String($0.rows), $0.rowsSHA256] }
        }
        return stream == other.stream && streamCreation == other.streamCreation && shard == other.shard
            && first == other.first && last == other.last && records == other.records && previous == other.previous
            && content(self) == content(other)
    }

    enum CodingKeys: String, CodingKey {
        case version = "format_version"
        case job, stream, shard, parents, first, last, records, rows, previous, objects, gap, backfill, horizon,
            settings
        case streamCreation = "stream_creation"
        case recordBytes = "record_bytes"
        case statusCounts = "rows_by_status"
        case firstArrival = "first_arrival"
        case lastArrival = "last_arrival"
        case firstEvent = "first_event"
        case lastEvent = "last_event"
        case trimHorizon = "trim_horizon"
        case createdBy = "created_by"
    }
}
