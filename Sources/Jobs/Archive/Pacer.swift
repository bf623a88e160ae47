// Keeps one shard within what Kinesis allows all its readers together: 5 GetRecords calls and 2 MB each second
// (AWS: Kinesis Data Streams quotas). Pure: takes monotonic time, gives a wait.

import AWS

/// Decides when the next GetRecords call of a shard may start.
package struct Pacer: Sendable {
    /// At most five calls a second.
    package static let callInterval: UInt64 = 200_000_000

    /// Bytes a second; nil for no pacing at all.
    private let bytesPerSecond: Int?
    private var earliestNext: UInt64 = 0

    package init(bytesPerSecond: Int?) { self.bytesPerSecond = bytesPerSecond }

    /// Nanoseconds to wait before a call at `now`.
    package func wait(now: UInt64) -> UInt64 { earliestNext > now ? earliestNext - now : 0 }

    /// Notes a call whose answer came at `end` and brought `bytes`. Counted from the end: how long a request was under
    /// way before Kinesis counted it is not known here.
    package mutating func note(end: UInt64, bytes: Int) {
        guard let bytesPerSecond else { return }
        let transfer = UInt64(Double(bytes) / Double(bytesPerSecond) * 1e9)
        earliestNext = end + max(Self.callInterval, transfer)
    }
}

extension GetRecordsPage {
    /// Bytes of data and partition keys, as Kinesis counts them against the 2 MB a second.
    var countedBytes: Int {
        (0..<count).reduce(0) { sum, index in sum + withRecord(index) { $0.data.count + $0.partitionKey.count } }
    }
}
