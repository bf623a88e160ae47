// Keeps the metrics of a long run from standing still: a run that catches up for hours publishes as it commits.

import CivilTime
import Synchronization

final class LiveMetrics: Sendable {
    /// The least time between two files; Prometheus looks every 15 seconds to a minute.
    static let interval: UInt64 = 15_000_000_000

    private let time: any TimeSource
    private let publish: @Sendable () async -> Void
    /// When the next file is due; nil while one is made, as there is one temporary file.
    private let due: Mutex<UInt64?>

    init(time: any TimeSource, publish: @escaping @Sendable () async -> Void) {
        self.time = time
        self.publish = publish
        due = Mutex(time.monotonicNanoseconds() &+ Self.interval)
    }

    /// Something was committed. Called from many tasks.
    func refresh() async {
        let now = time.monotonicNanoseconds()
        let isDue = due.withLock { due in
            guard let instant = due, now >= instant else { return false }
            due = nil
            return true
        }
        guard isDue else { return }
        await publish()
        due.withLock { $0 = now &+ Self.interval }
    }
}
