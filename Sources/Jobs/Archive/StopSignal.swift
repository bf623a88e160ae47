import Glibc
import Synchronization

/// Set once by the signal handler, read by every job between effects: the job ends in order at the next safe point.
package final class StopSignal: Sendable {
    private let number = Atomic<Int32>(0)
    private let wakeDescriptor = Atomic<Int32>(-1)

    package init() {}

    /// One byte is written to `descriptor` (a pipe that does not block) when the end is asked for; -1 for none.
    package func wakes(_ descriptor: Int32) {
        wakeDescriptor.store(descriptor, ordering: .sequentiallyConsistent)
    }

    /// Asks for an ordered end. The first signal is the one that is reported.
    package func request(signal: Int32) {
        _ = number.compareExchange(expected: 0, desired: signal, ordering: .sequentiallyConsistent)
        let descriptor = wakeDescriptor.load(ordering: .sequentiallyConsistent)
        guard descriptor >= 0 else { return }
        var byte: UInt8 = 1
        // write(2) is safe in a signal handler.
        _ = write(descriptor, &byte, 1)
    }

    /// The signal that asked, or nil.
    package var requested: Int32? {
        let value = number.load(ordering: .sequentiallyConsistent)
        return value == 0 ? nil : value
    }
}
