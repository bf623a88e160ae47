// `sluice verify --redshift`: the ledger against the manifests, and the table against the ledger. Manifests go by; the
// rows of some batches are counted by one query. What cannot be asked ends the comparison and is told; it is no damage.

import AWS
import Batching
import CivilTime
import Diagnostics
import Redshift

/// Not Sendable: it belongs to the walk of one verification.
final class WarehouseCheck {
    /// Objects, and bytes of manifest names, of one query: its answer has about a row for each object, and the question
    /// to the ledger stays below the service's 100 kB.
    static let objectsMax = 50_000
    static let nameBytesMax = 80_000
    /// Times that batches are counted while loads go on beside.
    static let countsMax = 3

    let database: LoadDatabase
    let table: TableName
    private let entries: [String: [LedgerEntry]]
    /// In the ledger, and not listed so far.
    private var unseen: Set<String>
    /// The table holds rows of other jobs, which rows do not tell apart.
    private let isShared: Bool
    private var waiting: [ExpectedBatch] = []
    /// Of all batches of a shard so far.
    private var ends: [String: SequenceNumber] = [:]
    private var isOver = false

    private init(
        database: LoadDatabase, table: TableName, entries: [String: [LedgerEntry]], isShared: Bool
    ) {
        self.database = database
        self.table = table
        self.entries = entries
        self.isShared = isShared
        unseen = Set(entries.keys)
    }

    /// Reads the ledger, before any manifest is listed: what it names was there before. Nil when it cannot be read; why
    /// is in the report.
    static func open(
        _ warehouse: Warehouse, file: ArchiveJobFile, dependencies: ArchiveDependencies, report: inout VerifyReport
    ) async -> WarehouseCheck? {
        let database = LoadDatabase(
            client: warehouse.client, settings: warehouse.settings, bucket: file.destination.bucket,
            dependencies: dependencies)
        let ledger = database.ledger
        report.warehouse = WarehouseReport(
            target: database.target.text, table: warehouse.settings.name.sql, ledger: ledger.table.sql)
        do {
            let commits = ManifestPlace.prefix(controlPrefix: file.destination.controlPrefix)
            guard let found = try await database.loaded(below: commits) else {
                throw RedshiftError(
                    "read the ledger", "\(ledger.table.sql) of \(database.target.text)", "there is no such table",
                    hint: "`sluice redshift load` makes it; check schema and ledger_table under `redshift:`",
                    exitCode: .jobFileInvalid)
            }
            report.warehouse?.ledgerBatches = found.entries.count
            let others = try await database.count(ledger.others(besides: commits), name: "sluice read ledger")
            if others > 0 {
                report.add(
                    VerifyNote(
                        .rowsNotCompared,
                        detail:
                            "other jobs load into the same table (the ledger names \(others) batches of theirs), and "
                            + "a row does not tell its stream: only the ledger was compared"))
            }
            return WarehouseCheck(
                database: database, table: warehouse.settings.name,
                entries: Dictionary(grouping: found.entries, by: \.manifest), isShared: others > 0)
        } catch {
            tell(error, &report)
            return nil
        }
    }

    /// A manifest was listed, whatever it is worth.
    func see(_ key: String) { unseen.remove(key) }

    /// A batch that is to be compared, in the order of shards and sequence numbers.
    func take(_ manifest: BatchManifest, key: String, _ report: inout VerifyReport) async {
        guard !isOver else { return }
        do {
            let batch = try ExpectedBatch(manifest, key: key)
            for fault in LedgerJudge.faults(of: batch, entries: entries[key] ?? []) {
                report.add(finding(fault, key: key, shard: batch.shard))
            }
            if isShared { return note(batch, isLoaded: entries[key] != nil, isCompared: false, &report) }
            if overlaps(batch, &report) { return }
            if let first = waiting.first, first.layout != batch.layout || !hasRoom(for: batch) {
                try await compare(&report)
            }
            waiting.append(batch)
        } catch {
            end(error, &report)
        }
    }

    /// All manifests have gone by.
    func finish(_ report: inout VerifyReport) async {
        for key in unseen.sorted() {
            report.add(finding(LedgerJudge.unknown(entries[key] ?? []), key: key, shard: nil))
        }
        guard !isOver else { return }
        do {
            try await compare(&report)
        } catch {
            end(error, &report)
        }
        guard let counts = report.warehouse else { return }
        if counts.batchesNotLoaded > 0 {
            report.add(
                VerifyNote(
                    .notLoaded,
                    detail: "\(counts.batchesNotLoaded) batches with \(counts.rowsNotLoaded) rows are archived and not "
                        + "in the ledger: `sluice redshift load` loads them"))
        }
        if counts.batchesNotCompared > 0, !isShared {
            report.add(
                VerifyNote(
                    .rowsNotCompared,
                    detail:
                        "\(counts.batchesNotCompared) batches share records with others: their rows were not compared"
                ))
        }
    }

    // MARK: Comparing

    private func hasRoom(for batch: ExpectedBatch) -> Bool {
        let together = waiting + [batch]
        return together.count <= TableCensus.batchesMax
            && together.reduce(0) { $0 + $1.objects.count } <= Self.objectsMax
            && together.reduce(0) { $0 + database.ledger.url($1.manifest).utf8.count + 8 } <= Self.nameBytesMax
    }

    /// Rows of batches that share records cannot be told apart. That they do is told by the chain of manifests.
    private func overlaps(_ batch: ExpectedBatch, _ report: inout VerifyReport) -> Bool {
        guard let end = ends[batch.shard], batch.first <= end else {
            ends[batch.shard] = batch.last
            return false
        }
        ends[batch.shard] = max(end, batch.last)
        let other = waiting.last.flatMap { $0.shard == batch.shard && $0.last >= batch.first ? $0 : nil }
        if other != nil { waiting.removeLast() }
        for one in [batch] + (other.map { [$0] } ?? []) {
            note(one, isLoaded: entries[one.manifest] != nil, isCompared: false, &report)
        }
        return true
    }

    private func compare(_ report: inout VerifyReport) async throws {
        let batches = waiting
        waiting = []
        guard !batches.isEmpty else { return }
        let census = TableCensus(batches, table: table)
        let manifests = batches.map(\.manifest)
        var loaded = Set(manifests.filter { entries[$0] != nil })
        for tried in 1...Self.countsMax {
            let groups = try await database.groups(census)
            let faults = batches.map { batch in
                TableJudge.faults(
                    of: batch, isLoaded: loaded.contains(batch.manifest), groups: groups[batch.manifest] ?? [])
            }
            if tried < Self.countsMax, !faults.allSatisfy(\.isEmpty) {
                // A load may have ended since the ledger was read.
                let now = Set(try await database.entries(of: manifests).keys)
                guard now == loaded else {
                    loaded = now
                    continue
                }
            }
            for (batch, faults) in zip(batches, faults) {
                note(batch, isLoaded: loaded.contains(batch.manifest), isCompared: true, &report)
                for fault in faults { report.add(finding(fault, of: batch)) }
            }
            return
        }
    }

    private func note(
        _ batch: ExpectedBatch, isLoaded: Bool, isCompared: Bool, _ report: inout VerifyReport
    ) {
        if isCompared {
            report.warehouse?.batchesCompared += 1
            report.warehouse?.rowsCompared += isLoaded ? batch.rows : 0
        } else {
            report.warehouse?.batchesNotCompared += 1
        }
        if !isLoaded {
            report.warehouse?.batchesNotLoaded += 1
            report.warehouse?.rowsNotLoaded += batch.rows
        }
    }

    private func end(_ error: any Error, _ report: inout VerifyReport) {
        isOver = true
        waiting = []
        Self.tell(error, &report)
    }

    private static func tell(_ error: any Error, _ report: inout VerifyReport) {
        // The signal says it all.
        if error is CancellationError { return }
        let (diagnostic, code) = describe(error, during: "compare with Redshift", of: report.job)
        report.add(problem: diagnostic, code)
    }
}
