/// Which objects are downloaded and read: `n` of every `t`, told by their place in the walk, so that the same archive
/// gives the same sample.
package struct ReadSample: Sendable, Equatable {
    package static let everyMax = 1_000_000
    package static let all = ReadSample(count: 1, every: 1)

    package let count: Int
    package let every: Int

    private init(count: Int, every: Int) {
        self.count = count
        self.every = every
    }

    /// Reads `n/t`; nil unless 1 ≤ n ≤ t.
    package init?(_ text: String) {
        let sides = text.split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count == 2, let count = Int(sides[0]), let every = Int(sides[1]), count >= 1, count <= every,
            every <= Self.everyMax
        else { return nil }
        self.init(count: count, every: every)
    }

    /// - Parameter index: place of the object in the walk, from 0.
    package func takes(_ index: Int) -> Bool { index % every < count }
}
