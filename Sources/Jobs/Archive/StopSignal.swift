import Synchronization

/// Set once by the signal handler, read by every job between effects: the job ends in order at the next safe point.
package final class StopSignal: Sendable {
    private let number = Atomic<Int32>(0)

    package init() {}

    /// Asks for an ordered end. The first signal is the one that is reported.
    package func request(signal: Int32) {
        _ = number.compareExchange(expected: 0, desired: signal, ordering: .sequentiallyConsistent)
    }

    /// The signal that asked, or nil.
    package var requested: Int32? {
        let value = number.load(ordering: .sequentiallyConsistent)
        return value == 0 ? nil : value
    }
}
