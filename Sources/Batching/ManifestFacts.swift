// The part of a manifest that says which records it covers and how it links to its neighbours. Planning reads thousands
// of manifests and needs no more of them.

package import CivilTime
import FoundationEssentials

package struct ManifestFacts: Sendable, Equatable {
    package var key: String
    package var first: SequenceNumber
    package var last: SequenceNumber
    package var records: Int
    /// Nil in a manifest that an older program wrote.
    package var recordBytes: Int?
    package var parents: [String]
    /// Key of the manifest that came before it when it was made.
    package var previous: String?
    package var gap: GapRecord?
    package var backfill: BackfillMark?
    package var trimHorizon: Timestamp?
    package var firstArrival: Timestamp
    package var lastArrival: Timestamp

    /// True when the job itself made the batch, and so had read everything before it that it would ever read.
    package var isLive: Bool { backfill == nil }

    /// What the manifest of a planned batch will say.
    package init(promisedBy intent: BatchIntent, key: String) {
        self.key = key
        first = intent.first
        last = intent.last
        records = intent.records
        recordBytes = intent.recordBytes
        parents = intent.parents
        previous = intent.previousManifest
        gap = intent.gap
        backfill = intent.backfill
        trimHorizon = intent.trimHorizon
        firstArrival = intent.firstArrival
        lastArrival = intent.lastArrival
    }

    /// Reads the manifest that lies under `key`.
    /// - Throws: when it is no manifest, a newer one, or one of another place, job or stream than its key says.
    package init(
        _ bytes: [UInt8], key: String, expecting place: ManifestKey, job: String, stream: String
    ) throws(DocumentError) {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            // The whole manifest's decoder says what is wrong, in the one form.
            _ = try BatchManifest.decode(bytes)
            throw DocumentError(operation: "read", subject: key, cause: "\(error)")
        }
        guard (1...BatchManifest.formatVersion).contains(document.version) else {
            _ = try BatchManifest.decode(bytes)
            throw DocumentError(operation: "read", subject: key, cause: "unknown format version")
        }
        guard document.job == job, document.stream == stream, document.shard == place.shard,
            document.first == place.first, document.first <= document.last
        else {
            throw DocumentError(
                operation: "read", subject: key, cause: "its content belongs to another key, job or stream",
                hint: "`sluice verify JOB` shows which manifests are damaged")
        }
        self.key = key
        first = document.first
        last = document.last
        records = document.records
        recordBytes = document.recordBytes
        parents = document.parents
        previous = document.previous
        gap = document.gap
        backfill = document.backfill
        trimHorizon = document.trimHorizon
        firstArrival = document.firstArrival
        lastArrival = document.lastArrival
    }

    private struct Document: Decodable {
        var version: Int
        var job: String
        var stream: String
        var shard: String
        var first: SequenceNumber
        var last: SequenceNumber
        var records: Int
        var recordBytes: Int?
        var parents: [String]
        var previous: String?
        var gap: GapRecord?
        var backfill: BackfillMark?
        var trimHorizon: Timestamp?
        var firstArrival: Timestamp
        var lastArrival: Timestamp

        enum CodingKeys: String, CodingKey {
            case version = "format_version"
            case job, stream, shard, first, last, records, parents, previous, gap, backfill
            case recordBytes = "record_bytes"
            case trimHorizon = "trim_horizon"
            case firstArrival = "first_arrival"
            case lastArrival = "last_arrival"
        }
    }
}
