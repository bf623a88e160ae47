import CivilTime
import Synchronization

/// A clock that stands still until the test moves it.
final class HandClock: TimeSource {
    private let nanoseconds = Mutex<UInt64>(1_000_000_000)

    func advance(_ by: UInt64) { nanoseconds.withLock { $0 += by } }
    func now() -> Timestamp { Timestamp(seconds: 1_700_000_000) }
    func monotonicNanoseconds() -> UInt64 { nanoseconds.withLock { $0 } }
    func sleep(for duration: Duration) async throws {}
}
