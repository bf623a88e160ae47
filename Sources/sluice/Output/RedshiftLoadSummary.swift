// What `redshift load` did. The JSON keys are part of the contract with scripts.

import Diagnostics
import Jobs
import Redshift

struct RedshiftLoadSummary: Encodable {
    struct Row: Encodable {
        var object: String
        var line: Int
        var column: String?
        var code: Int?
        var message: String
        /// Of the batch that the object belongs to.
        var manifest: String
        var shard: String?
        /// Absent when the line does not tell it.
        var sequenceNumber: String?

        enum CodingKeys: String, CodingKey {
            case object, line, column, code, message, manifest, shard
            case sequenceNumber = "sequence_number"
        }

        init(_ row: RefusedRow) {
            object = row.object
            line = row.line
            column = row.column
            code = row.code
            message = row.message
            manifest = row.manifest
            shard = row.shard
            sequenceNumber = row.sequence
        }
    }

    struct Load: Encodable {
        /// Told by the batches.
        var id: String
        /// `planned`, `loaded` or `failed`.
        var outcome: String
        var batches: Int
        var objects: Int
        var rows: Int
        /// Compressed.
        var bytes: Int
        /// Of the Data API.
        var statement: String?
        /// Of a load that failed: the database's words, what kind it is, and the rows that COPY refused.
        var error: String?
        var reason: String?
        var refusedRows: [Row]?

        enum CodingKeys: String, CodingKey {
            case id, outcome, batches, objects, rows, bytes, statement, error, reason
            case refusedRows = "refused_rows"
        }

        init(_ load: RedshiftLoadReport.Load) {
            id = load.load.id
            batches = load.load.batches.count
            objects = load.load.objects.count
            rows = load.load.rows
            bytes = load.load.bytes
            statement = load.statement
            switch load.outcome {
            case .planned: outcome = "planned"
            case .loaded: outcome = "loaded"
            case .failed(let failure, let refused):
                outcome = "failed"
                error = failure.error
                reason = failure.kind.rawValue
                refusedRows = refused.map(Row.init)
            }
        }
    }

    var job: String
    var target: String
    var table: String
    var dryRun: Bool
    var knownBatches: Int
    var batchesLoadedElsewhere: Int
    /// Batches that a later run has to load, those of failed loads included.
    var batchesLeft: Int
    var rowsLoaded: Int
    var loads: [Load]
    var problem: ProblemSummary?
    var exitCode: Int32

    enum CodingKeys: String, CodingKey {
        case job, target, table, loads, problem
        case dryRun = "dry_run"
        case knownBatches = "known_batches"
        case batchesLoadedElsewhere = "batches_loaded_elsewhere"
        case batchesLeft = "batches_left"
        case rowsLoaded = "rows_loaded"
        case exitCode = "exit_code"
    }

    init(_ report: RedshiftLoadReport) {
        job = report.job
        target = report.target
        table = report.table
        dryRun = report.isDryRun
        knownBatches = report.knownBatches
        batchesLoadedElsewhere = report.batchesLoadedElsewhere
        loads = report.loads.map(Load.init)
        batchesLeft = report.batchesLeft + loads.reduce(0) { $0 + ($1.outcome == "loaded" ? 0 : $1.batches) }
        rowsLoaded = loads.reduce(0) { $0 + ($1.outcome == "loaded" ? $1.rows : 0) }
        problem = report.problem.map(ProblemSummary.init)
        exitCode = report.exitCode.rawValue
    }

    /// For people.
    var text: String {
        guard !loads.isEmpty else { return "\(job): nothing to load into \(table) of \(target)\n" }
        var lines = ["\(job): \(dryRun ? "would load" : "loads") into \(table) of \(target)"]
        for load in loads {
            lines.append(
                "  \(load.id.prefix(12))  \(load.outcome)  \(grouped(load.rows)) rows, \(grouped(load.objects)) objects, "
                    + "\(grouped(load.batches)) batches, \(grouped(load.bytes)) bytes")
            if let error = load.error { lines.append("    \(error)") }
            for row in load.refusedRows ?? [] {
                let column = row.column.map { " column \($0)" } ?? ""
                let origin = row.shard.map { " (\($0) \(row.sequenceNumber ?? "of \(row.manifest)"))" } ?? ""
                lines.append("    \(row.object) line \(row.line)\(column): \(row.message)\(origin)")
            }
        }
        lines.append("\(grouped(rowsLoaded)) rows loaded, \(grouped(batchesLeft)) batches left")
        return lines.joined(separator: "\n") + "\n"
    }
}
