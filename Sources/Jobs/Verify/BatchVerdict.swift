// What only all rows of a batch together can show. Pure.

import Batching

enum BatchVerdict {
    /// - Parameters:
    ///   - totals: of all objects of the batch; each was good by itself.
    ///   - key: of the manifest.
    static func judge(_ manifest: BatchManifest, _ totals: RowTotals, key: String) -> (Finding?, VerifyNote?) {
        func finding(_ kind: FindingKind, _ detail: String) -> (Finding?, VerifyNote?) {
            (Finding(kind, shard: manifest.shard, key: key, detail: detail, hint: Hints.wrongRows), nil)
        }
        if totals.records > manifest.records {
            return finding(
                .rowCount, "its rows come from \(totals.records) records, it says \(manifest.records)")
        }
        let statuses = manifest.statusCounts.filter { $0.value > 0 }
        guard totals.statusCounts == statuses else {
            return finding(.rowCount, "its rows by parse_status are not those that it counts")
        }
        // Arrival times of rows are those of the batch's records, of all or of some.
        let isWithin =
            totals.firstArrival.map { $0 >= manifest.firstArrival } ?? true
            && totals.lastArrival.map { $0 <= manifest.lastArrival } ?? true
        guard isWithin else { return finding(.rowOrigin, "rows arrived before or after the batch that they are in") }
        if totals.records < manifest.records {
            let missing = manifest.records - totals.records
            return (
                nil,
                VerifyNote(
                    .recordsWithoutRows, shard: manifest.shard,
                    detail: "\(missing) records of \(key) have no row: aggregates without user records")
            )
        }
        guard totals.first == manifest.first, totals.last == manifest.last else {
            return finding(.rowOrigin, "its first or last row does not come from its first or last record")
        }
        return (nil, nil)
    }
}

/// What to do about damage, in the words of the operator.
enum Hints {
    static let lostManifest =
        "put it back from the bucket's earlier versions or a backup; else the backfill reads its records again while "
        + "they are on the stream"
    static let badManifest =
        "put it back from the bucket's earlier versions or a backup; readers must not use it as it is"
    static let doubled =
        "two jobs or hosts must not archive one stream under one control_prefix; decide which of the two batches "
        + "counts and move the other's manifest and objects away"
    static let badObject = "put it back from the bucket's earlier versions or a backup"
    static let wrongRows =
        "the manifest and its objects do not fit together: put both back from the bucket's earlier versions or a backup"
    static let stray =
        "no manifest counts it, but readers of the whole prefix do: find out who wrote it, then move it away"
    static let gap = "the backfill reads what lies between while it is on the stream"
}
