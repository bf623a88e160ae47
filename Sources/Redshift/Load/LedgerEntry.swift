/// A row of the ledger.
package struct LedgerEntry: Sendable, Equatable {
    /// Key of the batch manifest.
    package var manifest: String
    /// Id of the load.
    package var load: String
    package var objects: Int
    package var rows: Int

    package init(manifest: String, load: String, objects: Int, rows: Int) {
        self.manifest = manifest
        self.load = load
        self.objects = objects
        self.rows = rows
    }
}
