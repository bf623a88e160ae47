// Shared small state of a client: the token bucket that keeps a fleet of calls from hammering a service that is down,
// and a count of retries for reports.

import Synchronization

/// A bucket of retry tokens; it never holds more than its capacity.
package final class RetryQuota: Sendable {
    package let capacity: Int
    private let tokens: Mutex<Int>

    package init(capacity: Int) {
        self.capacity = capacity
        tokens = Mutex(capacity)
    }

    package var available: Int { tokens.withLock { $0 } }

    /// Takes `cost` tokens, or none and says false.
    package func acquire(_ cost: Int) -> Bool {
        tokens.withLock { left in
            guard cost <= left else { return false }
            left -= cost
            return true
        }
    }

    package func release(_ amount: Int) { tokens.withLock { $0 = min(capacity, $0 + amount) } }
}

/// Counts what a report wants to know of calls. Shared by as many clients as one report covers.
package final class RetryCounter: Sendable {
    package struct Counts: Sendable, Equatable {
        /// Exchanges with the server, the first tries included.
        package var requests = 0
        /// Tries after the first one of a call, for whatever reason.
        package var retries = 0
        /// Retries because the service asked for a slower pace.
        package var throttled = 0
    }

    private let state = Mutex(Counts())

    package init() {}
    package var counts: Counts { state.withLock { $0 } }

    func noteRequest() { state.withLock { $0.requests += 1 } }
    func noteRetry(isThrottling: Bool) {
        state.withLock {
            $0.retries += 1
            if isThrottling { $0.throttled += 1 }
        }
    }
}
