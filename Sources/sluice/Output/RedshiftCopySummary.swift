// What `redshift copy` prepared. The JSON keys are part of the contract with scripts.

import Jobs
import Redshift

struct RedshiftCopySummary: Encodable {
    var job: String
    /// Name of the load, told by the set of batches; left out with nothing to load.
    var load: String?
    var manifest: String?
    var jsonpaths: String?
    var batches: Int
    var objects: Int
    var rows: Int
    /// Compressed.
    var bytes: Int
    var dryRun: Bool
    var statement: String?

    enum CodingKeys: String, CodingKey {
        case job, load, manifest, jsonpaths, batches, objects, rows, bytes, statement
        case dryRun = "dry_run"
    }

    init(_ report: RedshiftCopyReport) {
        job = report.job
        load = report.load?.id
        manifest = report.manifest
        jsonpaths = report.jsonPaths
        batches = report.load?.batches.count ?? 0
        objects = report.load?.objects.count ?? 0
        rows = report.load?.rows ?? 0
        bytes = report.load?.bytes ?? 0
        dryRun = report.isDryRun
        statement = report.statement
    }

    /// For people, on one line.
    var text: String {
        guard let manifest else { return "\(job): nothing to load" }
        let what = "\(grouped(rows)) rows in \(grouped(objects)) objects of \(grouped(batches)) batches"
        return "\(job): \(what), \(grouped(bytes)) bytes, \(dryRun ? "would be" : "are") named by \(manifest)"
    }
}
