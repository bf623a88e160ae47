// Many batches into few, large loads: Redshift spends a fixed time on each COPY and runs one at a time on a table. Pure,
// and told by the batches alone: two hosts that see the same batches make the same loads.

/// How much one load takes. A batch that is larger by itself is a load of its own.
package struct LoadLimits: Sendable, Equatable {
    package var objectsMax: Int
    /// Compressed.
    package var bytesMax: Int
    /// Of the statement that writes the ledger rows. Below the Data API's 100 kB for a statement, so that all statements
    /// of a load together stay below it, too (RedshiftDataLimits.statementBytesMax).
    package var ledgerBytesMax: Int

    package init(objectsMax: Int = 20_000, bytesMax: Int = 64 << 30, ledgerBytesMax: Int = 80_000) {
        self.objectsMax = objectsMax
        self.bytesMax = bytesMax
        self.ledgerBytesMax = ledgerBytesMax
    }

    package static let standard = LoadLimits()
}

package enum LoadGroups {
    /// The batches as loads, oldest records first.
    /// - Parameter ledger: says how long the ledger row of a batch is.
    package static func loads(
        _ batches: [CopyBatch], ledger: LoadLedger, limits: LoadLimits = .standard
    ) -> [CopyManifest] {
        var loads: [CopyManifest] = []
        var group: [CopyBatch] = []
        var (objects, bytes, ledgerBytes) = (0, 0, 0)
        for batch in batches.sorted(by: { ($0.lastArrival, $0.manifest) < ($1.lastArrival, $1.manifest) }) {
            let batchBytes = batch.objects.reduce(0) { $0 + $1.bytes }
            let rowBytes = ledger.rowBytes(of: batch)
            let fits =
                objects + batch.objects.count <= limits.objectsMax && bytes + batchBytes <= limits.bytesMax
                && ledgerBytes + rowBytes <= limits.ledgerBytesMax
            if !fits, !group.isEmpty {
                loads.append(CopyManifest(group))
                group = []
                (objects, bytes, ledgerBytes) = (0, 0, 0)
            }
            group.append(batch)
            objects += batch.objects.count
            bytes += batchBytes
            ledgerBytes += rowBytes
        }
        if !group.isEmpty { loads.append(CopyManifest(group)) }
        return loads
    }
}
