// The outer retry around the AWS client's own: a shard waits seconds, not milliseconds, and gives up before it
// eats the run. Pure: counts failures, gives delays.

/// Consecutive failures of one shard and how long to wait after each.
struct Patience {
    /// After this many failures in a row the shard is left for the next run.
    static let failuresMax = 6
    static let firstDelay = 1.0
    static let delayMax = 20.0

    private(set) var failures = 0

    /// The last call worked.
    mutating func reset() { failures = 0 }

    /// The last call failed. Gives the wait before the next one, or nil when it is time to give up.
    /// - Parameter random: in 0..<1; half of each delay is jitter.
    mutating func fail(random: Double) -> Duration? {
        failures += 1
        guard failures < Self.failuresMax else { return nil }
        var delay = Self.firstDelay
        for _ in 1..<failures { delay = min(delay * 2, Self.delayMax) }
        return .milliseconds(Int(delay * (0.5 + random / 2) * 1_000))
    }
}
