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

    /// Notes a call that started at `start` and brought `bytes` of record data.
    package mutating func note(start: UInt64, bytes: Int) {
        guard let bytesPerSecond else { return }
        let transfer = UInt64(Double(bytes) / Double(bytesPerSecond) * 1e9)
        earliestNext = start + max(Self.callInterval, transfer)
    }
}

extension GetRecordsPage {
    /// Bytes of record data, as Kinesis counts them against the 2 MB a second.
    var dataBytes: Int { (0..<count).reduce(0) { sum, index in sum + withRecord(index) { $0.data.count } } }
}
