// The statements of one load, which the Data API runs as one transaction:
//   lock the ledger, write its rows, fail if a batch stands there already, COPY, fail if COPY loaded another number of rows.
// So the rows of a batch are in the table once, or none of them is, whoever runs this how often and from how many hosts.

import Batching

package struct LoadTransaction: Sendable, Equatable {
    /// In the order of the statements.
    package enum Step: Int, Sendable, Equatable, CaseIterable {
        case lock, ledger, refuseSecondTime, copy, count
    }

    package let statements: [String]

    /// - Parameter copy: the COPY statement over the load's own COPY manifest.
    package init(load: CopyManifest, ledger: LoadLedger, copy: CopyStatement) {
        statements = Step.allCases.map { step in
            switch step {
            case .lock: ledger.lock
            case .ledger: ledger.insert(load)
            case .refuseSecondTime: ledger.refuseSecondTime(load)
            case .copy: copy.text
            case .count: Self.refuseOtherCount(than: load.rows)
            }
        }
    }

    /// Fails (division by zero) unless the COPY before it loaded as many rows as the manifests say.
    /// https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_COUNT.html
    private static func refuseOtherCount(than rows: Int) -> String {
        "SELECT 1 / CASE WHEN PG_LAST_COPY_COUNT() = \(rows) THEN 1 ELSE 0 END"
    }

    /// The client token of the nth try: from what is to be done and nothing else, so that a run after a crash, or another
    /// host, meets the statement that is under way and starts no second one. The service gives the same statement for
    /// the same token also when that has failed; a new try takes the next number. 64 characters, the most there may be.
    /// - Parameter target: cluster or workgroup, and database.
    package func token(target: String, attempt: Int) -> String {
        let text = (["sluice load \(attempt)", target] + statements).joined(separator: "\u{0}")
        return Checksum.sha256Hex(Array(text.utf8))
    }
}
