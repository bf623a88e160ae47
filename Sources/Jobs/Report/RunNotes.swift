// What a run leaves behind beside its work: the ledger that says that it began and how it ended, and the file for
// Prometheus. What cannot be noted is a warning: no run fails for it. The job's lock is held meanwhile.

import Diagnostics
import State

struct RunNotes: Sendable {
    var ledger: RunLedger
    private let directory: StateDirectory
    private let metrics: MetricsFile?
    private let events: any JobEvents

    init(job: String, directory: StateDirectory, metrics: MetricsFile?, events: any JobEvents) {
        self.directory = directory
        self.metrics = metrics
        self.events = events
        ledger = RunLedger.read(directory, job: job) ?? RunLedger(job: job)
    }

    /// Writes the ledger, so that it outlives a power failure.
    func keep() {
        do {
            try ledger.write(directory)
        } catch {
            let (diagnostic, _) = describe(error, during: "note run", of: directory.path)
            events.event(.warning, diagnostic.summary, diagnostic.hint.map { [("hint", $0)] } ?? [])
        }
    }

    /// Replaces the file for Prometheus; `families` is asked for only when the job wants one.
    func publish(_ families: () -> [MetricFamily]) {
        metrics?.write(families(), events: events)
    }
}
