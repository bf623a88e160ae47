// What an archive run leaves behind for `sluice status` and for Prometheus: at its start, while it works, and at its end.

import AWS
import CivilTime
import Diagnostics
import State

struct ArchiveNotes {
    private let file: ArchiveJobFile
    private let directory: StateDirectory
    private let time: any TimeSource
    private var notes: RunNotes

    init(file: ArchiveJobFile, directory: StateDirectory, dependencies: ArchiveDependencies) {
        self.file = file
        self.directory = directory
        time = dependencies.time
        notes = RunNotes(job: file.name, directory: directory, metrics: file.metrics, events: dependencies.events)
    }

    mutating func begin(at started: Timestamp) {
        notes.ledger.begin(at: started)
        notes.keep()
        publish(clockSkew: .zero)
    }

    /// What is published while the run works; nil when the job wants no metrics.
    mutating func live(_ contact: StreamContact, store: any StateStore) -> LiveMetrics? {
        note(contact)
        guard file.metrics != nil else { return nil }
        let (job, stream, notes, time) = (file.name, file.source.stream.name, notes, time)
        return LiveMetrics(time: time) {
            guard let snapshot = try? await store.snapshot() else { return }
            notes.publish {
                ArchiveMetrics(
                    job: job, stream: stream, snapshot: snapshot, ledger: notes.ledger,
                    now: time.now().adding(contact.clockSkew)
                ).families()
            }
        }
    }

    mutating func end(_ report: RunReport) {
        if let contact = report.contact { note(contact) }
        let problem = report.problem ?? report.shards.first { $0.problem != nil }?.problem
        notes.ledger.end(
            at: time.now(), exitCode: report.status, problem: report.status == 0 ? nil : problem?.summary)
        notes.keep()
        publish(clockSkew: report.contact?.clockSkew ?? .zero)
    }

    private mutating func note(_ contact: StreamContact) {
        notes.ledger.stream = contact.stream
        notes.ledger.retentionSeconds = Int(contact.retention.components.seconds)
    }

    private func publish(clockSkew: Duration) {
        notes.publish {
            ArchiveMetrics(
                job: file.name, stream: file.source.stream.name,
                // Counts of a state that cannot be read are left out: absent is not zero.
                snapshot: try? StateSnapshot.read(directory), ledger: notes.ledger,
                now: time.now().adding(clockSkew)
            ).families()
        }
    }
}

extension StreamContact {
    init(_ summary: StreamSummary, asked: Timestamp, answered: Timestamp) {
        self.init(
            stream: summary.name, retention: .seconds(summary.retentionHours * 3_600),
            clockSkew: summary.serverDate.map {
                ClockSkew.between(sent: asked, received: answered, serverDate: $0)
            } ?? .zero)
    }
}
