// What is known of a job's runs without asking anybody: when the last one began and how it ended. It is a file of its
// own beside the state, because a run that fails early never opens the state.
// What must stay true: it is written before a run does anything and after it has ended, so a run that was killed shows
// as one that did not end.

import Batching
package import CivilTime
import Diagnostics
package import State

package struct RunLedger: Codable, Sendable, Equatable {
    package static let formatVersion = 1
    /// A ledger has less than a kilobyte.
    static let bytesMax = 1 << 20

    package struct Run: Codable, Sendable, Equatable {
        package var started: Timestamp
        /// Missing while it runs, and for ever when it was killed.
        package var ended: Timestamp?
        /// 128 + n when signal n ended it.
        package var exitCode: Int32?
        /// Why it did not do all it should; nil when it did.
        package var problem: String?

        enum CodingKeys: String, CodingKey {
            case started, ended, problem
            case exitCode = "exit_code"
        }
    }

    var version = RunLedger.formatVersion
    package var job: String
    /// What the last run that reached the stream learned of it.
    package var stream: String?
    package var retentionSeconds: Int?
    /// Nil before the first run.
    package var lastRun: Run?
    /// The last run that ended; another one than `lastRun` while that runs, and when it was killed.
    package var lastEnded: Run?
    /// End of the last run with exit status 0.
    package var lastSuccess: Timestamp?
    /// Runs that ended, by exit status; those that were killed are counted when the next one begins, as `killed`.
    package var runsByExit: [String: Int] = [:]
    /// Totals of a job that has no state store to count in.
    package var counters: [String: Int] = [:]

    package init(job: String) { self.job = job }

    enum CodingKeys: String, CodingKey {
        case version = "format_version"
        case job, stream, counters
        case retentionSeconds = "retention_seconds"
        case lastRun = "last_run"
        case lastEnded = "last_ended"
        case lastSuccess = "last_success"
        case runsByExit = "runs_by_exit"
    }

    /// What a run that did not end is counted under.
    package static let killed = "killed"

    package mutating func begin(at now: Timestamp) {
        if let lastRun, lastRun.ended == nil { runsByExit[Self.killed, default: 0] += 1 }
        lastRun = Run(started: now)
    }

    package mutating func end(at now: Timestamp, exitCode: Int32, problem: String?) {
        lastRun?.ended = now
        lastRun?.exitCode = exitCode
        lastRun?.problem = problem
        lastEnded = lastRun
        runsByExit[String(exitCode), default: 0] += 1
        if exitCode == 0 { lastSuccess = now }
    }

    // MARK: The file

    package static func path(in directory: StateDirectory) -> String { "\(directory.path)/ledger.json" }

    /// Nil when there is none, or when it cannot be read: it is a convenience, and a run never fails for it.
    package static func read(_ directory: StateDirectory, job: String) -> RunLedger? {
        guard let bytes = try? AtomicFile.read(path(in: directory), bytesMax: bytesMax),
            let ledger = try? CanonicalJSON.decode(
                RunLedger.self, from: bytes, versionMax: formatVersion, as: "run ledger"), ledger.job == job
        else { return nil }
        return ledger
    }

    /// The job's lock must be held.
    package func write(_ directory: StateDirectory) throws {
        try AtomicFile.write(
            CanonicalJSON.encode(self, as: "run ledger"), to: Self.path(in: directory), mode: 0o600, isDurable: true)
    }
}
