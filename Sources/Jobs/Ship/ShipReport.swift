package import CivilTime
package import Diagnostics

/// The account of one ship run: what the summary prints, `--json` writes and the exit status comes from.
package struct ShipReport: Sendable {
    /// What became of one file.
    package struct File: Sendable, Equatable {
        package var path: String
        package var generation = ""
        /// Where the run began, and up to where the stream has everything.
        package var from: Int
        package var storedOffset: Int
        /// As it was seen last. What lies between waits: an unfinished line, or the next run.
        package var size: Int
        /// Bytes of the log that were framed, and that are stored.
        package var bytesRead = 0
        package var bytesStored = 0
        package var lines = 0
        /// Lines longer than a record, sent in pieces; and those that lost their rest.
        package var linesSplit = 0
        package var linesCut = 0
        package var bytesCut = 0
        /// Runs of NUL at the start of a line, as truncation leaves them.
        package var nulBytesSkipped = 0
        package var deadLetters = 0
        /// Bytes that were seen in the file and were gone before they could be read.
        package var suspectedLost = 0
        package var state = State.open
        /// Why the file was left early; nil when it was not.
        package var problem: Diagnostic?

        package enum State: String, Sendable {
            case open, rotated, finished, lost
        }

        init(path: String, from: Int, size: Int) {
            self.path = path
            self.from = from
            self.size = size
            storedOffset = from
        }
    }

    /// What one shard took.
    package struct Shard: Sendable, Equatable {
        package var records = 0
        /// Records that it refused because it was asked for too much.
        package var throttled = 0
    }

    package enum Mode: String, Sendable { case once, follow }

    package var job: String
    package var stream: String
    package var mode: Mode
    package var started: Timestamp
    package var elapsed: Duration = .zero
    package var files: [File] = []
    package var shards: [String: Shard] = [:]
    /// Kinesis records that are stored.
    package var records = 0
    package var requests = 0
    /// Requests without a usable answer: all their records were sent again.
    package var requestsFailed = 0
    /// Records that were sent again.
    package var recordsResent = 0
    /// Lines that fluentd's syslog format does not match.
    package var unmatchedLines = 0
    package var exitCode: ExitCode = .done
    /// What ended the run as a whole; nil when only files have problems or none has.
    package var problem: Diagnostic?
    /// The signal that ended the run before its end.
    package var signal: Int32?
    /// True when whole lines were left for the next run.
    package var moreWaiting = false

    /// The status that the process ends with: 128 + n when a signal ended the run.
    package var status: Int32 { signal.map { 128 + $0 } ?? exitCode.rawValue }

    package var lines: Int { files.reduce(0) { $0 + $1.lines } }
    /// Bytes of the logs that are stored, line feeds included.
    package var bytes: Int { files.reduce(0) { $0 + $1.bytesStored } }
    package var linesCut: Int { files.reduce(0) { $0 + $1.linesCut } }
    package var linesSplit: Int { files.reduce(0) { $0 + $1.linesSplit } }
    package var deadLetters: Int { files.reduce(0) { $0 + $1.deadLetters } }
    package var suspectedLost: Int { files.reduce(0) { $0 + $1.suspectedLost } }

    init(job: String, stream: String, mode: Mode, started: Timestamp) {
        self.job = job
        self.stream = stream
        self.mode = mode
        self.started = started
    }
}
