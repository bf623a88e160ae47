// What a backfill plans of one shard, case by case and for every small archive.

import Batching
import CivilTime
import Testing

private typealias Shard = BackfillShard

@Suite struct RangePlanTests {
    /// Records 0–1, 2–3, 4–5 in three live batches.
    private func chain() throws -> [ManifestFacts] {
        [try Shard.live(0..<2, after: nil), try Shard.live(2..<4, after: 0), try Shard.live(4..<6, after: 2)]
    }

    @Test func anUnbrokenChainHasNoHole() throws {
        let plan = Shard.plan(try chain(), Shard.range(0, 6))
        #expect(plan.holes.isEmpty && plan.lost.isEmpty)
        #expect(!Shard.plan(try chain(), Shard.range(0, 5)).isLeftToLive, "the last batch reaches beyond the range")
        #expect(Shard.plan(try chain(), Shard.range(0, 9)).isLeftToLive)
    }

    @Test func aMissingManifestIsAHoleBetweenItsNeighbours() throws {
        var manifests = try chain()
        manifests.remove(at: 1)
        let plan = Shard.plan(manifests, Shard.range(0, 6))
        let hole = try #require(plan.holes.first)
        #expect(plan.holes.count == 1)
        #expect(try hole.after?.last == Shard.sequence(1))
        #expect(try hole.before == Shard.sequence(4))
        #expect(try Shard.taken(plan, of: 0..<9) == [2, 3])
    }

    @Test func onlyTheAskedPartOfAHoleIsTaken() throws {
        var manifests = try chain()
        manifests.remove(at: 1)
        #expect(try Shard.taken(Shard.plan(manifests, Shard.range(3, 9)), of: 0..<9) == [3])
        #expect(try Shard.taken(Shard.plan(manifests, Shard.range(0, 3)), of: 0..<9) == [2])
        #expect(Shard.plan(manifests, Shard.range(4, 9)).holes.isEmpty == false, "arrivals may be out of order")
        #expect(try Shard.taken(Shard.plan(manifests, Shard.range(4, 9)), of: 0..<9) == [])
        #expect(Shard.plan(manifests, Shard.range(5, 9)).holes.isEmpty)
        #expect(Shard.plan(manifests, Shard.range(0, 1)).holes.isEmpty)
    }

    @Test func whatFollowsTheLastManifestIsLeftToTheJob() throws {
        let plan = Shard.plan(try chain(), Shard.range(0, 9))
        #expect(plan.holes.isEmpty && plan.isLeftToLive)
        let nothing = Shard.plan([], Shard.range(0, 9))
        #expect(nothing.holes.isEmpty && nothing.isLeftToLive)
    }

    @Test func aShardThatTheJobHasEndedIsLookedAtToItsEnd() throws {
        let plan = Shard.plan(try chain(), Shard.range(0, 9), tail: .end(isRead: true))
        #expect(plan.holes.map(\.upper) == [.end(isRead: true)] && !plan.isLeftToLive)
        #expect(try Shard.taken(plan, of: 0..<8) == [6, 7])
        #expect(Shard.plan(try chain(), Shard.range(0, 5), tail: .end(isRead: true)).holes.isEmpty)
    }

    @Test func beforeTheFirstRunsInstantTheShardIsOpen() throws {
        let start = Shard.arrival(4)
        let plan = Shard.plan([], Shard.range(1, 9), beginning: .open, tail: .until(start))
        #expect(try Shard.taken(plan, of: 0..<9) == [1, 2, 3])
        #expect(plan.isLeftToLive)
        #expect(!Shard.plan([], Shard.range(1, 4), beginning: .open, tail: .until(start)).isLeftToLive)
        let later = Shard.plan([try Shard.filled(1..<4)], Shard.range(0, 9), beginning: .open, tail: .until(start))
        #expect(try Shard.taken(later, of: 0..<9) == [0])
    }

    @Test func aFirstBatchThatContinuesALostOneLeavesTheBeginningOpen() throws {
        let manifests = Array(try chain().dropFirst())
        #expect(try Shard.taken(Shard.plan(manifests, Shard.range(0, 6)), of: 0..<6) == [0, 1])
        let latest = [try Shard.live(2..<4, after: nil)]
        #expect(try Shard.taken(Shard.plan(latest, Shard.range(0, 4), beginning: .open), of: 0..<6) == [0, 1])
        #expect(Shard.plan(latest, Shard.range(0, 4), beginning: .oldest).holes.isEmpty)
    }

    @Test func whatExpiredBeforeTheFirstRunIsToldUnlessTheShardIsAChild() throws {
        var first = try Shard.live(2..<4, after: nil)
        #expect(Shard.plan([first], Shard.range(0, 4)).lost.isEmpty, "it was there when the shard was first read")
        first.trimHorizon = Shard.arrival(1)
        let root = Shard.plan([first], Shard.range(0, 4))
        #expect(root.lost == [Shard.range(0, 1)] && root.holes.isEmpty)
        #expect(Shard.plan([first], Shard.range(1, 4)).lost.isEmpty)
        first.parents = ["shardId-000000000000"]
        #expect(Shard.plan([first], Shard.range(0, 4)).lost.isEmpty)
    }

    @Test func aRecordedGapIsLostAndNotRead() throws {
        let gap = GapRecord(after: try Shard.sequence(1), from: Shard.arrival(1), to: Shard.arrival(4))
        let manifests = [try Shard.live(0..<2, after: nil), try Shard.live(4..<6, after: 0, gap: gap)]
        let plan = Shard.plan(manifests, Shard.range(2, 6))
        #expect(plan.holes.isEmpty && plan.lost == [Shard.range(2, 4)])
        #expect(Shard.plan(manifests, Shard.range(4, 6)).lost.isEmpty)
    }

    @Test func aBatchUnderAnOldKeyDoesNotPassForTheOneThatWasLost() throws {
        // The batch 2–3 was lost, and a backfill put 2 alone under its key: 3 is still missing.
        let manifests = [
            try Shard.live(0..<2, after: nil), try Shard.filled(2..<3, after: 1, previous: 0),
            try Shard.live(4..<6, after: 2),
        ]
        #expect(try Shard.taken(Shard.plan(manifests, Shard.range(0, 6)), of: 0..<6) == [3])
        let whole = [manifests[0], try Shard.filled(2..<4, after: 1, previous: 0), manifests[2]]
        let open = Shard.plan(whole, Shard.range(0, 6))
        #expect(open.holes.count == 1)
        #expect(try Shard.taken(open, of: 0..<6) == [])
        let joined = Shard.plan(whole, Shard.range(0, 6), ledger: try Shard.ledger(joined: [(3, 4)]))
        #expect(joined.holes.isEmpty)
    }

    @Test func claimedBatchesAreNotPlannedAgain() throws {
        var manifests = try chain()
        manifests.remove(at: 1)
        let ledger = try Shard.ledger(claims: [
            try Shard.intent(2..<3, previous: Shard.key(0), backfill: BackfillMark(after: Shard.sequence(1)))
        ])
        let plan = Shard.plan(manifests, Shard.range(0, 6), ledger: ledger)
        #expect(plan.hasPromises)
        #expect(try Shard.taken(plan, of: 0..<6) == [3])
        let done = [manifests[0], try Shard.filled(2..<3, after: 1, previous: 0), manifests[1]]
        #expect(!Shard.plan(done, Shard.range(0, 6), ledger: ledger).hasPromises)
        let tail = Shard.plan(
            [], Shard.range(0, 6), beginning: .open, tail: .end(isRead: false),
            ledger: try Shard.ledger(claims: [try Shard.intent(1..<4, backfill: BackfillMark())]))
        #expect(try Shard.taken(tail, of: 0..<6) == [0, 4, 5])
    }

    @Test func aShardThatLeftTheStreamLosesItsHoles() throws {
        var manifests = try chain()
        manifests.remove(at: 1)
        var plan = Shard.plan(manifests, Shard.range(0, 9), tail: .gone(unreadBefore: nil))
        plan.loseHoles(floor: Shard.creation)
        #expect(plan.holes.isEmpty && plan.lost == [TimeRange(from: Shard.arrival(1), to: Shard.arrival(4))])
    }

    @Test func whatWasNeverReadOfAShardThatLeftTheStreamIsLost() throws {
        // A shard without any manifest, and one that is archived up to its third record.
        for (manifests, from) in [([], 0), ([try Shard.live(0..<3, after: nil)], 2)] {
            var plan = Shard.plan(manifests, Shard.range(0, 9), tail: .gone(unreadBefore: Shard.arrival(5)))
            plan.loseHoles(floor: Shard.creation)
            #expect(plan.holes.isEmpty && !plan.isLeftToLive)
            #expect(plan.lost == [TimeRange(from: Shard.arrival(from), to: Shard.arrival(5))])
        }
        var later = Shard.plan([], Shard.range(5, 9), tail: .gone(unreadBefore: Shard.arrival(5)))
        later.loseHoles(floor: Shard.creation)
        #expect(later.lost.isEmpty)
    }

    @Test func pagesBeforeTheRangeMayBePassedOver() throws {
        var plan = RangePlan(
            range: Shard.range(4, 9), beginning: .oldest, ledger: nil,
            controlPrefix: Shard.controlPrefix)
        let manifests = try chain()
        #expect(plan.mayBeginAfter(manifests[1]) && !plan.mayBeginAfter(manifests[2]))
        plan.skip(to: manifests[1])
        plan.add(manifests[2])
        plan.finish(.live)
        #expect(plan.holes.isEmpty && plan.hasLive)
    }

    @Test func neighboursTellHowMuchAHoleMayHold() throws {
        let manifests = [try Shard.live(0..<5, after: nil), try Shard.live(10..<15, after: 5)]
        let hole = try #require(Shard.plan(manifests, Shard.range(0, 15)).holes.first)
        let estimate = try #require(hole.estimate(Shard.range(0, 15), floor: Shard.creation))
        #expect((6...8).contains(estimate.records) && estimate.bytes / 100 == estimate.records)
        let lonely = [try Shard.live(0..<1, after: nil), try Shard.live(10..<11, after: 5)]
        #expect(
            Shard.plan(lonely, Shard.range(0, 15)).holes.first?.estimate(Shard.range(0, 15), floor: Shard.creation)
                == nil)
    }

    @Test func moreHolesThanTheLimitAreLeftForTheNextRun() throws {
        var plan = RangePlan(
            range: Shard.range(0, 1_000_000), beginning: .oldest, ledger: nil,
            controlPrefix: Shard.controlPrefix)
        for index in 0...RangePlan.holesMax + 1 {
            plan.add(try Shard.live(2 * index..<2 * index + 1, after: 2 * index + 1))
        }
        plan.finish(.live)
        #expect(plan.holes.count == RangePlan.holesMax && plan.isCut)
    }
}

/// Every archive of six records: all ways to cut them into live batches, all sets of batches that were lost, all ranges.
@Suite struct EverySmallArchiveTests {
    static let records = 6

    /// All ways to cut `range` into batches.
    private func cuts(_ range: Range<Int>) -> [[Range<Int>]] {
        if range.isEmpty { return [[]] }
        return (range.lowerBound + 1...range.upperBound).flatMap { end in
            cuts(end..<range.upperBound).map { [range.lowerBound..<end] + $0 }
        }
    }

    private struct Tail {
        var rule: RangePlan.Tail
        /// The records behind the last manifest that may be taken.
        var records: (_ behind: Int) -> Range<Int>
    }

    @Test func exactlyTheMissingRecordsOfTheRangeAreTaken() throws {
        let all = 0..<Self.records
        var count = 0
        for begun in 0...2 {
            for batches in cuts(begun..<Self.records - 1) {
                for present in 0..<(1 << batches.count) {
                    let kept = try batches.indices.filter { present & 1 << $0 != 0 }.map { index in
                        try BackfillShard.live(
                            batches[index], after: index == 0 ? nil : batches[index - 1].lowerBound)
                    }
                    let covered = Set(batches.indices.filter { present & 1 << $0 != 0 }.flatMap { batches[$0] })
                    for from in all {
                        for to in from + 1...Self.records {
                            try check(
                                kept, covered: covered, begun: begun, hasFirst: present & 1 != 0,
                                BackfillShard.range(from, to), asked: from..<to)
                            count += 1
                        }
                    }
                }
            }
        }
        #expect(count == 21 * (162 + 54 + 18), "worlds were left out")
    }

    private func check(
        _ kept: [ManifestFacts], covered: Set<Int>, begun: Int, hasFirst: Bool, _ range: TimeRange, asked: Range<Int>
    ) throws {
        let end = try kept.last.map { try BackfillShard.number($0.last) + 1 }
        // The job began with record `begun`; it may have been the oldest one, or the first after an instant.
        for beginning in [RangePlan.Beginning.oldest, .open] {
            let open = beginning == .open || !hasFirst ? 0 : begun
            let tails: [(RangePlan.Tail, Range<Int>)] = [
                (.live, 0..<0), (.gone(unreadBefore: nil), 0..<0), (.end(isRead: true), (end ?? 0)..<Self.records),
                (
                    .until(BackfillShard.arrival(begun)),
                    kept.isEmpty && beginning == .open ? 0..<begun : 0..<0
                ),
            ]
            for (tail, behind) in tails {
                if case .until = tail, beginning == .oldest || !kept.isEmpty { continue }
                let plan = BackfillShard.plan(kept, range, beginning: beginning, tail: tail)
                let before = end.map { open..<$0 } ?? 0..<0
                let expected = asked.filter { !covered.contains($0) && (before.contains($0) || behind.contains($0)) }
                let taken = try BackfillShard.taken(plan, of: 0..<Self.records)
                if taken != expected {
                    Issue.record(
                        "\(kept.map { "\($0.first)-\($0.last)" }) \(asked) \(beginning) \(tail): \(taken) not \(expected)"
                    )
                }
            }
        }
    }
}
