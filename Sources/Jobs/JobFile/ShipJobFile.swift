// The job file of `sluice ship` as plain values, defaults filled in and checked.

package struct ShipJobFile: Sendable, Equatable {
    /// Where the file lies, for messages.
    package var path: String
    /// Names state, lock and metrics: `[a-z0-9-]{1,64}`.
    package var name: String
    /// Absolute paths, which may hold the shell patterns `*`, `?` and `[…]`; at least one.
    package var files: [String]
    package var start: StartPosition
    package var destination: Destination
    /// The longest that a line waits for others before a part-filled request is sent.
    package var linger: Duration
    /// Requests under way at the same time.
    package var maxInFlight: Int
    /// Absolute path of the directory with the positions and the lock.
    package var stateDirectory: String

    /// Where a file that is seen for the first time is read from.
    package enum StartPosition: String, CaseIterable, Sendable { case head, tail }

    package struct Destination: Sendable, Equatable {
        package var stream: StreamReference
        package var partitionKey: PartitionKey
        package var aggregate: Aggregate
    }

    package enum PartitionKey: String, CaseIterable, Sendable {
        /// `host/file/generation/offset`: unique, even, stable over retries.
        case source
        case random, site
    }

    package enum Aggregate: String, CaseIterable, Sendable { case none, lines, kpl }
}
