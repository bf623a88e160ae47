// What a ship run leaves behind for Prometheus: totals over all runs, and how runs go. They are written as the run
// works, as a service runs for weeks. Nothing is written for a job without `metrics:`.

import CivilTime
import Diagnostics
import State

struct ShipNotes {
    private let file: ShipJobFile
    private let time: any TimeSource
    private var notes: RunNotes
    /// Totals of earlier runs.
    private let before: [String: Int]

    /// Nil for a job without metrics. The job's lock must be held.
    init?(file: ShipJobFile, directory: StateDirectory, dependencies: ShipDependencies) {
        guard file.metrics != nil else { return nil }
        self.file = file
        time = dependencies.time
        notes = RunNotes(job: file.name, directory: directory, metrics: file.metrics, events: dependencies.events)
        before = notes.ledger.counters
    }

    mutating func begin(_ report: ShipReport) {
        notes.ledger.begin(at: report.started)
        notes.ledger.stream = report.stream
        publish(report, unreadBytes: nil)
    }

    mutating func end(_ report: ShipReport) {
        notes.ledger.end(at: time.now(), exitCode: report.status, problem: report.problem?.summary)
        publish(report, unreadBytes: nil)
    }

    /// - Parameters:
    ///   - report: of this run as far as it has come.
    ///   - unreadBytes: nil when nobody looks any more.
    mutating func publish(_ report: ShipReport, unreadBytes: Int?) {
        for counter in ShipMetrics.Counter.allCases {
            notes.ledger.counters[counter.rawValue] = (before[counter.rawValue] ?? 0) + Self.value(counter, report)
        }
        notes.keep()
        notes.publish {
            ShipMetrics(
                job: file.name, stream: file.destination.stream.name, ledger: notes.ledger, unreadBytes: unreadBytes
            ).families()
        }
    }

    private static func value(_ counter: ShipMetrics.Counter, _ report: ShipReport) -> Int {
        switch counter {
        case .records: report.records
        case .bytes: report.bytes
        case .requests: report.requests
        case .recordsResent: report.recordsResent
        case .linesCut: report.linesCut
        case .deadLetters: report.deadLetters
        case .bytesLost: report.suspectedLost
        }
    }
}
