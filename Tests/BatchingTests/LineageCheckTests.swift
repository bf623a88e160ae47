// What the stream says of its shards against what is archived.

import Batching
import Testing

struct LineageCheckTests {
    private func span(
        _ id: String, parents: [String] = [], _ numbers: ClosedRange<Int>, isOpen: Bool = false,
        _ keys: ClosedRange<UInt128> = 0 ... .max
    ) throws -> ShardSpan {
        ShardSpan(
            id: id, parents: parents, starting: try sequence("\(numbers.lowerBound)"),
            ending: isOpen ? nil : try sequence("\(numbers.upperBound)"), hashKeys: keys)
    }

    private func archived(_ id: String, parents: Set<String> = [], _ numbers: ClosedRange<Int>) throws -> ArchivedShard
    {
        ArchivedShard(
            id: id, parents: parents, first: try sequence("\(numbers.lowerBound)"),
            last: try sequence("\(numbers.upperBound)"))
    }

    @Test func shardsThatFitHaveNoFault() throws {
        let listed = [try span("a", 10...19), try span("b", parents: ["a"], 20...29, isOpen: true)]
        #expect(
            LineageCheck.faults(
                archived: [try archived("a", 11...18), try archived("b", parents: ["a"], 21...90)], listed: listed)
                == [])
        // A rebuilt state may not know the parents; a stream forgets shards.
        #expect(LineageCheck.faults(archived: [try archived("b", 21...22)], listed: listed) == [])
        #expect(
            LineageCheck.faults(
                archived: [try archived("x", 1...5), try archived("y", parents: ["x"], 6...7)], listed: []) == [])
    }

    @Test func eachContradictionIsNamed() throws {
        let listed = [try span("a", 10...19), try span("b", parents: ["a"], 20...29)]
        func details(_ shards: [ArchivedShard]) -> [String] {
            LineageCheck.faults(archived: shards, listed: listed).map { "\($0.shard): \($0.detail)" }
        }
        #expect(
            details([try archived("b", parents: ["c"], 21...22)]).map { $0.prefix(36) } == [
                "b: its manifests name the parents c,"
            ])
        #expect(details([try archived("a", 9...12)]).count == 1)
        #expect(details([try archived("a", 10...20)]).count == 1)
        let order = details([try archived("a", 10...19), try archived("b", 19...22)])
        #expect(order.count == 2 && order.allSatisfy { $0.hasPrefix("b: its first record 19") })
    }

    @Test func listingMustCoverAllHashKeys() throws {
        let half = UInt128.max / 2
        let low = try span("a", 1...2, isOpen: true, 0...half)
        let high = try span("b", 1...2, isOpen: true, (half + 1) ... .max)
        #expect(LineageCheck.incompleteness(of: [high, low]) == nil)
        #expect(LineageCheck.incompleteness(of: [low]) == "no open shard takes the highest hash keys")
        #expect(LineageCheck.incompleteness(of: [high]) == "no open shard takes the hash keys before those of b")
        #expect(LineageCheck.incompleteness(of: [low, try span("b", 1...2, (half + 1) ... .max)]) != nil)
        #expect(LineageCheck.incompleteness(of: [low, try span("c", 1...2, isOpen: true, 0 ... .max)]) == nil)
        #expect(LineageCheck.incompleteness(of: []) != nil)
    }
}
