// Does the table hold each row of a batch once, as the ledger and the manifest say? Pure.

import Batching

package struct TableFault: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Rows of a batch that the ledger does not have.
        case unrecorded
        /// None of the rows of a loaded batch.
        case batchMissing
        /// Fewer rows than the object.
        case rowsMissing
        /// Rows that stand there more than once.
        case rowsDoubled
        /// Rows that the object, or any object of the batch, does not have.
        case rowsUnknown
    }

    package var kind: Kind
    /// Of the object, or of the manifest when it is about no single object.
    package var key: String
    package var expected: Int
    package var found: Int
    package var detail: String

    package init(_ kind: Kind, key: String, expected: Int, found: Int, _ detail: String) {
        self.kind = kind
        self.key = key
        self.expected = expected
        self.found = found
        self.detail = detail
    }
}

package enum TableJudge {
    /// - Parameters:
    ///   - isLoaded: the ledger has the batch.
    ///   - groups: what the table holds of it.
    package static func faults(of batch: ExpectedBatch, isLoaded: Bool, groups: [TableGroup]) -> [TableFault] {
        let total = groups.reduce(0) { $0 + $1.rows }
        guard isLoaded else {
            guard total > 0 else { return [] }
            return [
                TableFault(
                    .unrecorded, key: batch.manifest, expected: 0, found: total,
                    "the table has \(total) rows of the batch, and the ledger does not have it")
            ]
        }
        guard total > 0 else {
            return [
                TableFault(
                    .batchMissing, key: batch.manifest, expected: batch.rows, found: 0,
                    "the ledger has the batch, and the table has none of its \(batch.rows) rows "
                        + "(\(batch.objects.count) objects)")
            ]
        }
        let (counts, strays) = counts(of: batch, groups)
        let faults = batch.objects.flatMap { object in
            let count = counts[object.partition] ?? Count()
            return Self.faults(of: object, rows: count.rows, distinct: count.distinct)
        }
        let unknown = strays.sorted { $0.key < $1.key }.map { partition, rows in
            TableFault(
                .rowsUnknown, key: batch.manifest, expected: 0, found: rows,
                "the table has \(rows) rows of the batch that belong under \(partition), where it has no object")
        }
        return faults + unknown
    }

    private struct Count {
        var rows = 0
        var distinct = 0
    }

    /// Counts by partition, and rows of partitions that the batch does not have.
    private static func counts(
        of batch: ExpectedBatch, _ groups: [TableGroup]
    ) -> (known: [String: Count], strays: [String: Int]) {
        let partitions = Set(batch.objects.map(\.partition))
        let overflow = batch.layout.prefix.renderOverflow(stream: batch.layout.stream)
        var known: [String: Count] = [:]
        var strays: [String: Int] = [:]
        for group in groups {
            var partition = batch.layout.partition(of: group)
            // What found no partition of its own lies in the shared one.
            if !partitions.contains(partition), partitions.contains(overflow) { partition = overflow }
            if partitions.contains(partition) {
                known[partition, default: Count()].rows += group.rows
                known[partition, default: Count()].distinct += group.distinct
            } else {
                strays[partition, default: 0] += group.rows
            }
        }
        return (known, strays)
    }

    private static func faults(of object: ExpectedBatch.Object, rows: Int, distinct: Int) -> [TableFault] {
        var faults: [TableFault] = []
        func add(_ kind: TableFault.Kind, _ found: Int, _ detail: String) {
            faults.append(TableFault(kind, key: object.key, expected: object.rows, found: found, detail))
        }
        if distinct < object.rows {
            add(.rowsMissing, distinct, "the table has \(distinct) of its \(object.rows) rows")
        }
        if distinct > object.rows {
            add(.rowsUnknown, distinct, "the table has \(distinct) different rows of it, it has \(object.rows)")
        }
        if rows > distinct {
            add(.rowsDoubled, rows, "the table has \(rows) rows of it, of which only \(distinct) are different")
        }
        return faults
    }
}
