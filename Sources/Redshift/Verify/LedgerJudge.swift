// Does the ledger say of a batch what its manifest says? Pure.

package struct LedgerFault: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// The ledger has a batch more than once.
        case doubled
        /// It says other counts than the manifest.
        case counts
        /// It has a batch that has no manifest.
        case unknown
    }

    package var kind: Kind
    package var expected: Int
    package var found: Int
    package var detail: String
}

package enum LedgerJudge {
    /// - Parameter entries: all that the ledger has of the batch.
    package static func faults(of batch: ExpectedBatch, entries: [LedgerEntry]) -> [LedgerFault] {
        var faults: [LedgerFault] = []
        if entries.count > 1 {
            faults.append(
                LedgerFault(
                    kind: .doubled, expected: 1, found: entries.count,
                    detail: "the ledger has it \(entries.count) times, \(loads(entries))"))
        }
        let wrong = entries.filter { $0.rows != batch.rows || $0.objects != batch.objects.count }
        if let entry = wrong.first {
            faults.append(
                LedgerFault(
                    kind: .counts, expected: batch.rows, found: entry.rows,
                    detail:
                        "the ledger says \(entry.rows) rows in \(entry.objects) objects, the manifest \(batch.rows) "
                        + "in \(batch.objects.count), \(loads(wrong))"))
        }
        return faults
    }

    /// - Parameter entries: all that the ledger has of one manifest, which is not there.
    package static func unknown(_ entries: [LedgerEntry]) -> LedgerFault {
        let rows = entries.reduce(0) { $0 + $1.rows }
        return LedgerFault(
            kind: .unknown, expected: 0, found: rows,
            detail: "the ledger has it with \(rows) rows, \(loads(entries)), and there is no such manifest")
    }

    private static func loads(_ entries: [LedgerEntry]) -> String {
        let names = Set(entries.map { String($0.load.prefix(12)) }).sorted().prefix(3)
        return "loaded by \(names.joined(separator: ", "))"
    }
}
