// The job file of `sluice ship` as plain values, defaults filled in and checked.

package struct ShipJobFile: Sendable, Equatable {
    /// Where the file lies, for messages.
    package var path: String
    /// Names state, lock and metrics: `[a-z0-9-]{1,64}`.
    package var name: String
    /// Absolute paths, which may hold the shell patterns `*`, `?` and `[…]`; at least one.
    package var files: [String]
    /// Where rotated files lie when not beside the log; patterns.
    package var rotated: [String] = []
    package var start: StartPosition = .head
    package var record: RecordForm = .line
    package var fluentd = Fluentd()
    package var multiline: Multiline = .join
    package var longLines: LongLines = .split
    package var destination: Destination
    /// The longest that a line waits for others before a part-filled request is sent.
    package var linger: Duration = .seconds(1)
    /// Requests under way at the same time.
    package var maxInFlight = 4
    /// New files are looked for at least this often.
    package var rescan: Duration = .seconds(10)
    /// A rotated file that was quiet for this long is finished.
    package var rotateWait: Duration = .seconds(5)
    /// After a request to end: time to send what was read.
    package var grace: Duration = .seconds(20)
    package var limits = Limits()
    /// Absolute path of the directory with the positions and the lock.
    package var stateDirectory: String
    /// Where Prometheus' node_exporter reads how the job fares; nil for nowhere.
    package var metrics: MetricsFile?

    /// Where a file that is seen for the first time is read from.
    package enum StartPosition: String, CaseIterable, Sendable { case head, tail }

    package enum RecordForm: String, CaseIterable, Sendable {
        /// The line as it stands in the file.
        case line
        /// The JSON of Fluentd's `in_tail` (`format syslog`) and its Kinesis plugin.
        case fluentd
    }

    package struct Fluentd: Sendable, Equatable {
        package var keepTimeKey = false
        package var newline = true

        package init(keepTimeKey: Bool = false, newline: Bool = true) {
            self.keepTimeKey = keepTimeKey
            self.newline = newline
        }
    }

    package enum Multiline: String, CaseIterable, Sendable {
        /// A line without a header belongs to the record before it.
        case join
        case off
    }

    package enum LongLines: String, CaseIterable, Sendable { case split, cut }

    package struct Destination: Sendable, Equatable {
        package var stream: StreamReference
        package var partitionKey: PartitionKey = .source
        package var aggregate: Aggregate = .none
        /// Data of an aggregated record.
        package var aggregateBytes = 48 << 10
        /// Data and key of a record.
        package var recordBytes = 1 << 20
        /// Data and keys of a request.
        package var requestBytes = 5 << 20
    }

    package enum PartitionKey: String, CaseIterable, Sendable {
        /// `host/file/generation/offset`: unique, even, stable over retries.
        case source
        case random
        /// The host of a Drupal line's base URL.
        case site
    }

    package enum Aggregate: String, CaseIterable, Sendable { case none, lines, kpl }

    package struct Limits: Sendable, Equatable {
        package var memory = 64 << 20
        /// Nil for no limit; counts for `--once`.
        package var runTime: Duration?
        /// Most bytes of the dead-letter file.
        package var deadLetter = 1 << 30

        package init(memory: Int = 64 << 20, runTime: Duration? = nil, deadLetter: Int = 1 << 30) {
            self.memory = memory
            self.runTime = runTime
            self.deadLetter = deadLetter
        }
    }

    package init(
        path: String, name: String, files: [String], destination: Destination, stateDirectory: String
    ) {
        self.path = path
        self.name = name
        self.files = files
        self.destination = destination
        self.stateDirectory = stateDirectory
    }
}
