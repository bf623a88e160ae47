// The clock as a value that is passed in. Pure layers take instants as arguments; layers that must wait take this.

/// Wall clock, monotonic clock and waiting. The real one lives in the executable; tests use one they turn by hand.
package protocol TimeSource: Sendable {
    /// Wall-clock time: for signatures, lag and reports, never for intervals.
    func now() -> Timestamp
    /// Nanoseconds that never go back and count suspend (CLOCK_BOOTTIME): for intervals and deadlines.
    func monotonicNanoseconds() -> UInt64
    /// Waits; throws `CancellationError` at once when the task is cancelled.
    func sleep(for duration: Duration) async throws
}
