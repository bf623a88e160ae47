package import CivilTime
package import Diagnostics

/// The account of one ship run: what the summary prints, `--json` writes and the exit status comes from.
package struct ShipReport: Sendable {
    /// What became of one file.
    package struct File: Sendable, Equatable {
        package var path: String
        package var records = 0
        /// Bytes of record data stored, without keys and line feeds.
        package var bytes = 0
        /// Lines longer than a record may be, sent as several records.
        package var linesCut = 0
        /// Where the run began, and up to where the stream has everything.
        package var from: Int
        package var storedOffset: Int
        /// Size at the start of the run. What lies between is an unfinished line, or waits for the next run.
        package var size: Int
        /// Why the file was left early; nil when it was not.
        package var problem: Diagnostic?
    }

    package var job: String
    package var stream: String
    package var started: Timestamp
    package var elapsed: Duration = .zero
    package var files: [File] = []
    package var requests = 0
    /// Entries that were sent again.
    package var recordsResent = 0
    package var exitCode: ExitCode = .done
    /// What ended the run as a whole; nil when only files have problems or none has.
    package var problem: Diagnostic?
    /// The signal that ended the run: its exit status is 128 + this.
    package var signal: Int32?
    /// True when whole lines were left for the next run.
    package var moreWaiting = false

    package var records: Int { files.reduce(0) { $0 + $1.records } }
    package var bytes: Int { files.reduce(0) { $0 + $1.bytes } }
    package var linesCut: Int { files.reduce(0) { $0 + $1.linesCut } }

    init(job: String, stream: String, started: Timestamp) {
        self.job = job
        self.stream = stream
        self.started = started
    }
}
