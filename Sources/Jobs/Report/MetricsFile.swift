// The file that node_exporter's textfile collector picks up (`--collector.textfile.directory`). What a job file says
// under `metrics:`. Writing it never fails a run.

import Diagnostics

package struct MetricsFile: Sendable, Equatable {
    /// Absolute, ends with `.prom`: the collector reads no other files.
    package var path: String

    package static let suffix = ".prom"

    package init(path: String) { self.path = path }

    /// Replaces the file in one step. Others may read it, whatever the umask: node_exporter runs as its own user.
    package func write(_ families: [MetricFamily]) throws(FileError) {
        try AtomicFile.write(Array(Exposition.text(families).utf8), to: path, mode: 0o644, isDurable: false)
    }

    /// The same, with a warning when it fails.
    package func write(_ families: [MetricFamily], events: any JobEvents) {
        do throws(FileError) {
            try write(families)
        } catch {
            let hint = error.diagnostic.hint.map { [("hint", $0)] } ?? []
            events.event(.warning, "metrics: \(error.diagnostic.summary)", hint)
        }
    }
}
