// How long to wait before sending again what failed. Pure: takes random numbers, gives delays.

/// "Decorrelated jitter" (AWS Architecture Blog, Exponential Backoff And Jitter): each delay is drawn between the
/// shortest one and three times the one before, so that many shippers do not come back at the same moment.
struct DecorrelatedJitter {
    static let shortest = 0.1
    static let longest = 20.0

    private var previous = DecorrelatedJitter.shortest

    /// Something went through: the next delay is a short one again.
    mutating func reset() { previous = Self.shortest }

    /// - Parameter random: in 0..<1.
    mutating func next(random: Double) -> Duration {
        previous = min(Self.longest, Self.shortest + random * (previous * 3 - Self.shortest))
        return .microseconds(Int64(previous * 1_000_000))
    }
}
