// The table in which each load leaves what it loaded: one row for each batch manifest, written in the transaction that
// copies its objects. A batch is in the table if and only if its rows are in the target. Statements only; nothing in
// them comes from a log line: names are those of the job file, manifests are told by their keys.

package struct LoadLedger: Sendable, Equatable {
    /// Bytes of `s3://bucket/key`: 63 of a bucket, 1,024 of a key.
    static let manifestBytesMax = 1_100

    package var table: TableName
    /// Bucket of the batch manifests.
    package var bucket: String

    package init(table: TableName, bucket: String) {
        self.table = table
        self.bucket = bucket
    }

    /// As the ledger names a manifest.
    package func url(_ manifest: String) -> String { "s3://\(bucket)/\(manifest)" }

    /// The key in our bucket, or nil for a manifest in another one.
    package func key(_ url: String) -> String? {
        let start = self.url("")
        return url.hasPrefix(start) ? String(url.dropFirst(start.count)) : nil
    }

    package var create: String {
        """
        CREATE TABLE IF NOT EXISTS \(table.sql) (
            "load_id" VARCHAR(64) NOT NULL,
            "manifest" VARCHAR(\(Self.manifestBytesMax)) NOT NULL,
            "object_count" INTEGER NOT NULL,
            "row_count" BIGINT NOT NULL,
            "loaded_at" TIMESTAMP NOT NULL DEFAULT GETDATE()
        ) DISTSTYLE ALL SORTKEY ("manifest")
        """
    }

    /// A statement that takes one batch out of the ledger again: for the operator.
    package func forget(_ manifest: String) -> String {
        "DELETE FROM \(table.sql) WHERE \"manifest\" = \(SQLText.string(url(manifest)))"
    }

    /// All that is loaded of the manifests below a prefix: manifest, load, objects, rows.
    package func loaded(below prefix: String) -> String {
        let start = url(prefix)
        return "SELECT \"manifest\", \"load_id\", \"object_count\", \"row_count\" FROM \(table.sql) "
            + "WHERE LEFT(\"manifest\", \(start.count)) = \(SQLText.string(start))"
    }

    /// How many manifests of other jobs or places the ledger names.
    package func others(besides prefix: String) -> String {
        let start = url(prefix)
        return "SELECT COUNT(*) FROM \(table.sql) WHERE LEFT(\"manifest\", \(start.count)) <> \(SQLText.string(start))"
    }

    /// What is loaded of some batches, by the keys of their manifests. For those of one load it is shorter than `insert`.
    package func loaded(of manifests: some Collection<String>) -> String {
        let names = manifests.map { SQLText.string(url($0)) }.joined(separator: ",")
        return "SELECT \"manifest\", \"load_id\", \"object_count\", \"row_count\" FROM \(table.sql) "
            + "WHERE \"manifest\" IN (\(names))"
    }

    /// Takes the table for the rest of the transaction. It must be the first statement: the transaction's view of the data
    /// begins with the first statement that reads or writes, and must begin after everybody else has committed.
    /// https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html,
    /// https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    var lock: String { "LOCK \(table.sql)" }

    func insert(_ load: CopyManifest) -> String {
        let rows = load.batches.map { row($0, id: load.id) }.joined(separator: ",")
        return "INSERT INTO \(table.sql) (\"load_id\", \"manifest\", \"object_count\", \"row_count\") VALUES \(rows)"
    }

    /// Fails (division by zero) when a batch of the load stands in the ledger twice: then another load, or this one at
    /// another time, has loaded it. A batch of the Data API cannot branch; it can fail.
    func refuseSecondTime(_ load: CopyManifest) -> String {
        """
        SELECT 1 / CASE WHEN COUNT(*) = COUNT(DISTINCT "manifest") THEN 1 ELSE 0 END FROM \(table.sql) \
        WHERE "manifest" IN (SELECT "manifest" FROM \(table.sql) WHERE "load_id" = \(SQLText.string(load.id)))
        """
    }

    private func row(_ batch: CopyBatch, id: String) -> String {
        let rows = batch.objects.reduce(0) { $0 + $1.rows }
        return "(\(SQLText.string(id)),\(SQLText.string(url(batch.manifest))),\(batch.objects.count),\(rows))"
    }

    /// Of a batch in `insert`.
    func rowBytes(of batch: CopyBatch) -> Int {
        row(batch, id: String(repeating: "0", count: 64)).utf8.count + 1
    }
}
