// A batch written down before anything of it is uploaded. After a crash the next run carries out exactly this plan.

package import CivilTime

/// The plan of one batch: a run of consecutive records of one shard, cut into one object per partition.
package struct BatchIntent: Codable, Sendable, Equatable {
    package static let formatVersion = 1

    package var version = BatchIntent.formatVersion
    package var job: String
    /// The stream's name.
    package var stream: String
    /// Tells a stream from an earlier one of the same name.
    package var streamCreation: Timestamp
    package var shard: String
    /// Parents of the shard; a rebuild of the state concludes from them that the parents have ended.
    package var parents: [String]
    package var first: SequenceNumber
    package var last: SequenceNumber
    /// Kinesis records in the batch.
    package var records: Int
    /// Bytes of their data; nil in a plan that an older program wrote.
    package var recordBytes: Int?
    /// Key of the manifest before this one on the same shard.
    package var previousManifest: String?
    package var objects: [BatchObject]
    package var firstArrival: Timestamp
    package var lastArrival: Timestamp
    package var firstEvent: Timestamp
    package var lastEvent: Timestamp
    /// Rows by `parse_status`.
    package var statusCounts: [String: Int]
    /// Set when records before this batch expired unread.
    package var gap: GapRecord?
    /// Set when `sluice backfill` made the batch.
    package var backfill: BackfillMark?
    /// Set on the first batch of a shard that nobody had read before: what arrived before this had expired by then.
    package var trimHorizon: Timestamp?
    /// Everything that arrived on the shard before this instant is in this batch or an earlier one; nil when the
    /// batch was cut within a page.
    package var horizon: Timestamp?
    package var settings: BatchSettings
    /// The program that made the batch: `sluice 0.1.0`.
    package var createdBy: String

    package init(
        job: String, stream: String, streamCreation: Timestamp, shard: String, parents: [String] = [],
        first: SequenceNumber, last: SequenceNumber, records: Int, recordBytes: Int? = nil, previousManifest: String?,
        objects: [BatchObject], firstArrival: Timestamp, lastArrival: Timestamp, firstEvent: Timestamp,
        lastEvent: Timestamp,
        statusCounts: [String: Int], gap: GapRecord? = nil, backfill: BackfillMark? = nil,
        trimHorizon: Timestamp? = nil, horizon: Timestamp? = nil,
        settings: BatchSettings, createdBy: String
    ) {
        self.job = job
        self.stream = stream
        self.streamCreation = streamCreation
        self.shard = shard
        self.parents = parents
        self.first = first
        self.last = last
        self.records = records
        self.recordBytes = recordBytes
        self.previousManifest = previousManifest
        self.objects = objects
        self.firstArrival = firstArrival
        self.lastArrival = lastArrival
        self.firstEvent = firstEvent
        self.lastEvent = lastEvent
        self.statusCounts = statusCounts
        self.gap = gap
        self.backfill = backfill
        self.trimHorizon = trimHorizon
        self.horizon = horizon
        self.settings = settings
        self.createdBy = createdBy
    }

    package var rows: Int { objects.reduce(0) { $0 + $1.rows } }

    package func canonicalBytes() throws(DocumentError) -> [UInt8] {
        try CanonicalJSON.encode(self, as: "intent of \(shard)")
    }

    package static func decode(_ bytes: [UInt8]) throws(DocumentError) -> BatchIntent {
        try CanonicalJSON.decode(BatchIntent.self, from: bytes, versionMax: formatVersion, as: "stored intent")
    }

    enum CodingKeys: String, CodingKey {
        case version = "format_version"
        case job, stream, shard, parents, first, last, records, objects, gap, backfill, horizon, settings
        case streamCreation = "stream_creation"
        case recordBytes = "record_bytes"
        case previousManifest = "previous_manifest"
        case firstArrival = "first_arrival"
        case lastArrival = "last_arrival"
        case firstEvent = "first_event"
        case lastEvent = "last_event"
        case statusCounts = "rows_by_status"
        case trimHorizon = "trim_horizon"
        case createdBy = "created_by"
    }
}
