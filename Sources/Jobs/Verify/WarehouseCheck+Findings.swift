// What is wrong in Redshift, and what to do about it, in the words of the operator.

import Batching
import Redshift

extension WarehouseCheck {
    func finding(_ fault: LedgerFault, key: String, shard: String?) -> Finding {
        let (kind, hint): (FindingKind, String) =
            switch fault.kind {
            case .doubled:
                (
                    .ledgerDoubled,
                    "somebody wrote into the ledger: if the rows are in the table twice, delete them and the batch from "
                        + "both, and load it again; else delete one row of the ledger"
                )
            case .counts:
                (.ledgerCounts, "find out which of the two was changed; the objects in S3 tell: --read-data")
            case .unknown:
                (
                    .ledgerUnknown,
                    "put the manifest back from the bucket's earlier versions or a backup; if the batch is gone on "
                        + "purpose, delete its rows from the table and from the ledger"
                )
            }
        return Finding(
            kind, shard: shard, key: key, detail: fault.detail, hint: hint, expected: fault.expected,
            found: fault.found)
    }

    func finding(_ fault: TableFault, of batch: ExpectedBatch) -> Finding {
        let delete = "DELETE FROM \(table.sql) WHERE \(batch.condition)"
        let again =
            "to load the batch again: \(delete); \(database.ledger.forget(batch.manifest)); then `sluice redshift load`"
        let (kind, hint): (FindingKind, String) =
            switch fault.kind {
            case .unrecorded: (.ledgerMissing, "the next load would load them a second time: before it, \(delete)")
            case .batchMissing:
                (
                    .tableBatchMissing,
                    "rows that were deleted on purpose are no damage: --from with the first day that is kept leaves them "
                        + "out; " + again
                )
            case .rowsMissing: (.tableRowsMissing, again)
            case .rowsDoubled: (.tableRowsDoubled, again)
            case .rowsUnknown: (.tableRowsUnknown, again)
            }
        return Finding(
            kind, shard: batch.shard, key: fault.key, detail: fault.detail, hint: hint, expected: fault.expected,
            found: fault.found)
    }
}
