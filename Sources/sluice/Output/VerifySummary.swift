// What `verify` found. The JSON keys and the words of `kind` are part of the contract with scripts: none is renamed or
// removed.

import Batching
import CivilTime
import Diagnostics
import Jobs

struct VerifySummary: Encodable {
    struct Finding: Encodable {
        var kind: String
        var shard: String?
        var key: String
        var detail: String
        var hint: String?
        /// Of what is compared with Redshift: rows, or entries of the ledger.
        var expected: Int?
        var found: Int?
        /// A command that reads the records in question again, where that helps.
        var backfill: String?
    }

    struct Note: Encodable {
        var kind: String
        var shard: String?
        var detail: String
        var gap: GapRecord?
    }

    /// Only with --redshift.
    struct Redshift: Encodable {
        var target: String
        var table: String
        var ledgerTable: String
        var ledgerBatches: Int
        var batchesCompared: Int
        var rowsCompared: Int
        var batchesNotLoaded: Int
        var rowsNotLoaded: Int
        var batchesNotCompared: Int

        enum CodingKeys: String, CodingKey {
            case target, table
            case ledgerTable = "ledger_table"
            case ledgerBatches = "ledger_batches"
            case batchesCompared = "batches_compared"
            case rowsCompared = "rows_compared"
            case batchesNotLoaded = "batches_not_loaded"
            case rowsNotLoaded = "rows_not_loaded"
            case batchesNotCompared = "batches_not_compared"
        }

        init(_ report: WarehouseReport) {
            target = report.target
            table = report.table
            ledgerTable = report.ledger
            ledgerBatches = report.ledgerBatches
            batchesCompared = report.batchesCompared
            rowsCompared = report.rowsCompared
            batchesNotLoaded = report.batchesNotLoaded
            rowsNotLoaded = report.rowsNotLoaded
            batchesNotCompared = report.batchesNotCompared
        }
    }

    var job: String
    var stream: String
    var destination: String
    var from: String?
    var to: String?
    var shards: Int
    var manifests: Int
    var records: Int
    var objects: Int
    var objectsRead: Int
    var bytesRead: Int
    var rowsRead: Int
    var objectsOpen: Int
    var objectsForeign: Int
    var redshift: Redshift?
    /// How often each kind was found, all of them, also those that `findings` leaves out when they are too many.
    var counts: [String: Int]
    var findings: [Finding]
    var notes: [Note]
    /// What kept the verification from telling.
    var problems: [ProblemSummary]
    var complete: Bool
    var elapsedSeconds: Double
    var exitCode: Int32
    var signal: Int32?

    enum CodingKeys: String, CodingKey {
        case job, stream, destination, from, to, shards, manifests, records, objects, counts, findings, notes, problems
        case complete, signal, redshift
        case objectsRead = "objects_read"
        case bytesRead = "bytes_read"
        case rowsRead = "rows_read"
        case objectsOpen = "objects_open"
        case objectsForeign = "objects_foreign"
        case elapsedSeconds = "elapsed_seconds"
        case exitCode = "exit_code"
    }

    /// - Parameter jobPath: as the command line names the job file.
    init(_ report: VerifyReport, jobPath: String) {
        job = report.job
        stream = report.stream
        destination = report.destination
        from = report.window.map { RFC3339.text($0.from) }
        to = report.window.map { RFC3339.text($0.to) }
        shards = report.shards
        manifests = report.manifests
        records = report.records
        objects = report.objects
        objectsRead = report.objectsRead
        bytesRead = report.bytesRead
        rowsRead = report.rowsRead
        objectsOpen = report.objectsOpen
        objectsForeign = report.objectsForeign
        redshift = report.warehouse.map(Redshift.init)
        counts = Dictionary(uniqueKeysWithValues: report.counts.map { ($0.key.rawValue, $0.value) })
        findings = report.findings.map { finding in
            Finding(
                kind: finding.kind.rawValue, shard: finding.shard, key: finding.key, detail: finding.detail,
                hint: finding.hint, expected: finding.expected, found: finding.found,
                backfill: finding.backfill.map { Self.command($0, jobPath) })
        }
        notes = report.notes.map { Note(kind: $0.kind.rawValue, shard: $0.shard, detail: $0.detail, gap: $0.gap) }
        problems = report.problems.map(ProblemSummary.init)
        complete = report.isComplete
        elapsedSeconds = report.elapsed.seconds
        exitCode = report.status
        signal = report.signal
    }

    private static func command(_ window: Window, _ jobPath: String) -> String {
        "sluice backfill \(shellQuoted(jobPath)) --from \(RFC3339.text(window.from)) --to \(RFC3339.text(window.to))"
    }
}

/// A word that a POSIX shell reads back as it stands.
func shellQuoted(_ word: String) -> String {
    let isPlain =
        !word.isEmpty
        && word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x2F, 0x3A, 0x40, 0x5F].contains(byte)
        }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
}
