// What can be wrong with an archive. The raw values are a contract with scripts.

package import Batching
package import CivilTime

package enum FindingKind: String, Sendable, CaseIterable, Comparable {
    /// Other manifests, or the job's state, build on a manifest that is gone.
    case manifestMissing = "manifest-missing"
    /// Cannot be read as a manifest.
    case manifestDamaged = "manifest-damaged"
    /// Contradicts its key or itself.
    case manifestForged = "manifest-forged"
    /// Records are in two batches.
    case rangeDoubled = "range-doubled"
    /// A batch continues another one than stands before it.
    case chainBroken = "chain-broken"
    /// Records between two batches may be in neither.
    case gap
    /// Archived shards contradict one another or the stream.
    case lineageBroken = "lineage-broken"
    case objectMissing = "object-missing"
    case objectSize = "object-size"
    /// The object's bytes are not those of the manifest, or its metadata says so.
    case objectHash = "object-hash"
    /// Other metadata than shard, range and row count of its batch.
    case objectMetadata = "object-metadata"
    /// Not one whole gzip member.
    case objectGzip = "object-gzip"
    /// The rows are not those of the manifest.
    case rowsHash = "rows-hash"
    case rowCount = "row-count"
    /// A row is not as schemas/row.schema.json says.
    case rowSchema = "row-schema"
    /// A row comes from another shard or from outside the batch's range.
    case rowOrigin = "row-origin"
    /// No manifest names it.
    case strayObject = "stray-object"
    /// Redshift's ledger names a manifest that is not there.
    case ledgerUnknown = "ledger-unknown"
    /// The ledger names a manifest more than once.
    case ledgerDoubled = "ledger-doubled"
    /// The ledger says other counts than the manifest.
    case ledgerCounts = "ledger-counts"
    /// Rows of a batch are in the table, and the ledger does not name it.
    case ledgerMissing = "ledger-missing"
    /// None of the rows of a loaded batch is in the table.
    case tableBatchMissing = "table-batch-missing"
    /// Some rows of an object are not in the table.
    case tableRowsMissing = "table-rows-missing"
    /// Rows of an object are in the table more than once.
    case tableRowsDoubled = "table-rows-doubled"
    /// The table has rows of a batch that its objects do not have.
    case tableRowsUnknown = "table-rows-unknown"

    package static func < (a: FindingKind, b: FindingKind) -> Bool { a.rawValue < b.rawValue }
}

package struct Finding: Sendable, Equatable {
    package var kind: FindingKind
    package var shard: String?
    /// Of the object or manifest in question.
    package var key: String
    package var detail: String
    /// What the operator can do.
    package var hint: String?
    /// Rows, or entries of the ledger, that should be there, and that are; nil where it is not about counts.
    package var expected: Int?
    package var found: Int?
    /// Times that surely enclose the records in question: what to give to `sluice backfill`. Nil when a backfill does
    /// not help.
    package var backfill: Window?

    package init(
        _ kind: FindingKind, shard: String?, key: String, detail: String, hint: String? = nil, backfill: Window? = nil,
        expected: Int? = nil, found: Int? = nil
    ) {
        self.kind = kind
        self.shard = shard
        self.key = key
        self.detail = detail
        self.hint = hint
        self.backfill = backfill
        self.expected = expected
        self.found = found
    }
}

/// A span of arrival times: from included, to not.
package struct Window: Sendable, Equatable {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }

    /// Arrival times of neighbouring records may be out of order by less than this.
    package static let disorder = Duration.seconds(60)

    /// In whole seconds, and with room on both sides for arrival times that are out of order. A backfill reads nothing
    /// that is archived already, so a wider window costs nothing.
    package init(around from: Timestamp, _ to: Timestamp) {
        let start = from.adding(.zero - Self.disorder)
        let end = to.adding(Self.disorder)
        self.init(from: Timestamp(seconds: start.seconds), to: Timestamp(seconds: end.seconds + 1))
    }

    package func overlaps(_ first: Timestamp, _ last: Timestamp) -> Bool { first < to && last >= from }
}

/// Something that is as it should be and that the reader of a report wants to know.
package struct VerifyNote: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// Records expired unread, and the job went on over that (`on_gap: continue`).
        case notedGap = "noted-gap"
        /// Records from which no row came: aggregates without user records.
        case recordsWithoutRows = "records-without-rows"
        /// Objects in an archive storage class: they are there, and cannot be read before they are restored.
        case objectsArchived = "objects-archived"
        /// The stream's own account of its shards is not whole.
        case listingIncomplete = "listing-incomplete"
        /// The stream is gone, so its shards could not be compared.
        case streamGone = "stream-gone"
        /// The local state could not be read.
        case stateUnreadable = "state-unreadable"
        /// Batches that are archived and not yet in Redshift's ledger.
        case notLoaded = "not-loaded"
        /// Rows in Redshift that could not be told apart: only the ledger was compared.
        case rowsNotCompared = "rows-not-compared"
    }

    package var kind: Kind
    package var shard: String?
    package var detail: String
    package var gap: GapRecord?

    package init(_ kind: Kind, shard: String? = nil, detail: String, gap: GapRecord? = nil) {
        self.kind = kind
        self.shard = shard
        self.detail = detail
        self.gap = gap
    }
}
