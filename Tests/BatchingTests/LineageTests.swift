import Batching
import CivilTime
import Testing

private let now = sampleTime
private let retention = Duration.seconds(86_400)
private let recent = now.adding(.seconds(-86_400))
private let expired = now.adding(.seconds(-86_400) - .microseconds(1))

/// Every way in which `count` shards can descend from one another: each has up to two older parents.
private func shapes(_ count: Int) -> [[[Int]]] {
    var all: [[[Int]]] = [[]]
    for child in 0..<count {
        var parents: [[Int]] = [[]]
        for a in 0..<child {
            parents.append([a])
            for b in a + 1..<max(child, a + 1) { parents.append([a, b]) }
        }
        all = all.flatMap { shape in parents.map { shape + [$0] } }
    }
    return all
}

private func name(_ index: Int) -> String { "shard-\(index)" }

struct LineageTests {
    private func plan(
        _ listed: [ListedShard], _ stored: [ShardState] = [], start: StartSet = .trimHorizon
    ) -> ShardLineage {
        ShardLineage(listed: listed, stored: stored, start: start, now: now, retention: retention)
    }

    @Test func shapesAreCountedRight() { #expect((1...4).map { shapes($0).count } == [1, 2, 8, 56]) }

    /// What one shard is, apart from its lineage.
    private enum Listing: CaseIterable { case absent, open, closed }
    private enum Stored: CaseIterable { case unknown, unread, readRecently, readLongAgo, ended }

    /// The rules, said a second time for one shard of a drawn-out situation.
    private func expectedPlace(
        _ index: Int, _ shape: [[Int]], _ listing: [Listing], _ stored: [Stored]
    ) -> String {
        func isKnown(_ i: Int) -> Bool { listing[i] != .absent || stored[i] != .unknown }
        guard isKnown(index) else { return "nowhere" }
        if stored[index] == .ended { return "ended" }
        if listing[index] == .absent, stored[index] != .readRecently { return "vanished" }
        if listing[index] == .open, shape[index].contains(where: { listing[$0] == .open }) { return "inconsistent" }
        let waits = shape[index].contains { isKnown($0) && stored[$0] != .ended }
        return waits ? "waiting" : "ready"
    }

    private func check(_ shape: [[Int]], _ listing: [Listing], _ stored: [Stored]) throws {
        let shards = shape.indices
        let listed = shards.filter { listing[$0] != .absent }.map {
            ListedShard(id: name($0), parents: shape[$0].map(name), isOpen: listing[$0] == .open)
        }
        let states = try shards.filter { stored[$0] != .unknown }.map { index -> ShardState in
            let parents = shape[index].map(name)
            let after = ShardPosition.after(try sequence("5"))
            switch stored[index] {
            case .unread, .unknown: return ShardState(id: name(index), parents: parents, position: .trimHorizon)
            case .readRecently:
                return ShardState(id: name(index), parents: parents, position: after, horizon: recent)
            case .readLongAgo:
                return ShardState(id: name(index), parents: parents, position: after, horizon: expired)
            case .ended: return ShardState(id: name(index), parents: parents, position: .ended)
            }
        }
        let lineage = plan(listed, states)
        var places: [String: [String]] = [:]
        for shard in lineage.ready { places[shard.id, default: []].append("ready") }
        for shard in lineage.waiting { places[shard.shard.id, default: []].append("waiting") }
        for shard in lineage.vanished { places[shard.shard.id, default: []].append("vanished") }
        for shard in lineage.inconsistent { places[shard.shard, default: []].append("inconsistent") }
        for shard in lineage.ended { places[shard, default: []].append("ended") }
        for index in shards {
            let expected = expectedPlace(index, shape, listing, stored)
            let found = places[name(index)] ?? ["nowhere"]
            if found != [expected] {
                Issue.record("\(shape) \(listing) \(stored): \(name(index)) is \(found), not \(expected)")
            }
        }
        let new = shards.filter { listing[$0] != .absent && stored[$0] == .unknown }.map(name)
        if lineage.new.map(\.id) != new { Issue.record("\(shape) \(listing) \(stored): new \(lineage.new)") }
    }

    @Test func everySituationOfUpToThreeShardsIsPlannedByTheRules() throws {
        for count in 1...3 {
            for shape in shapes(count) {
                for listing in combinations(Listing.allCases, count) {
                    for stored in combinations(Stored.allCases, count) { try check(shape, listing, stored) }
                }
            }
        }
    }

    @Test func situationsOfFourShardsArePlannedByTheRules() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for shape in shapes(4) {
            for _ in 0..<100 {
                let listing = (0..<4).map { _ in Listing.allCases.randomElement(using: &generator) ?? .open }
                let stored = (0..<4).map { _ in Stored.allCases.randomElement(using: &generator) ?? .ended }
                try check(shape, listing, stored)
            }
        }
    }

    private func combinations<T>(_ values: [T], _ count: Int) -> [[T]] {
        (0..<count).reduce([[]]) { lists, _ in lists.flatMap { list in values.map { list + [$0] } } }
    }

    /// Reads a stream to its end as a job does, planning anew after each shard, and gives the order of reading.
    private func readAll(_ shape: [[Int]], start: StartSet) throws -> [ShardState] {
        let hasChildren = Set(shape.flatMap { $0 })
        let listed = shape.indices.map {
            ListedShard(id: name($0), parents: shape[$0].map(name), isOpen: !hasChildren.contains($0))
        }
        var stored: [String: ShardState] = [:]
        var order: [ShardState] = []
        for _ in 0...shape.count {
            let lineage = plan(listed, Array(stored.values), start: start)
            for shard in lineage.new { stored[shard.id] = shard }
            #expect(!lineage.isStuck && lineage.vanished.isEmpty && lineage.inconsistent.isEmpty)
            guard let next = lineage.ready.first(where: { shard in !order.contains { $0.id == shard.id } }) else {
                #expect(lineage.waiting.isEmpty)
                return order
            }
            order.append(next)
            stored[next.id]?.position = .ended
        }
        Issue.record("reading \(shape) does not end")
        return order
    }

    @Test func everyLineageOfFourShardsIsReadOnceAndParentsFirst() throws {
        for shape in shapes(4) {
            let order = try readAll(shape, start: .trimHorizon)
            #expect(Set(order.map(\.id)).count == 4 && order.count == 4)
            for (child, parents) in shape.enumerated() {
                for parent in parents {
                    let at = { (i: Int) in order.firstIndex { $0.id == name(i) } ?? -1 }
                    #expect(at(parent) < at(child), "\(shape)")
                }
            }
        }
    }

    @Test func startTimeReadsTheShardsOfThatTimeAndTheirDescendantsOnly() throws {
        for shape in shapes(4) {
            // Shards split and merge in order of their number: those open "then" are any set that no path crosses twice.
            for mask in 1..<16 {
                let members = shape.indices.filter { mask & (1 << $0) != 0 }
                let up = ancestors(of: Set(members), shape)
                guard up.isDisjoint(with: members) else { continue }
                let listed = shape.indices.map {
                    ListedShard(id: name($0), parents: shape[$0].map(name), isOpen: false)
                }
                let start = StartSet(from: sampleTime, listed: listed, openThen: members.map(name))
                let order = try readAll(shape, start: start)
                #expect(Set(order.map(\.id)).isDisjoint(with: up.map(name)))
                #expect(order.count == 4 - up.count)
                for shard in order {
                    let index = shape.indices.first { name($0) == shard.id } ?? 0
                    let descends = !ancestors(of: [index], shape).isDisjoint(with: members)
                    let fromStart = ShardPosition.timestamp(sampleTime.milliseconds)
                    #expect(shard.position == (descends ? .trimHorizon : fromStart), "\(shape) \(members)")
                }
            }
        }
    }

    private func ancestors(of members: Set<Int>, _ shape: [[Int]]) -> Set<Int> {
        var found: Set<Int> = []
        for index in shape.indices.reversed() where members.contains(index) || found.contains(index) {
            found.formUnion(shape[index])
        }
        return found
    }

    @Test func childOfAMergeWaitsForBothParents() throws {
        let listed = [
            ListedShard(id: "a", isOpen: false), ListedShard(id: "b", isOpen: false),
            ListedShard(id: "c", parents: ["b", "a"], isOpen: true),
        ]
        let first = plan(listed)
        #expect(first.ready.map(\.id) == ["a", "b"])
        #expect(first.waiting.first?.parents == ["a", "b"])
        var stored = first.new
        stored[0].position = .ended
        #expect(plan(listed, stored).waiting.first?.parents == ["b"])
        stored[1].position = .ended
        #expect(plan(listed, stored).ready.map(\.id) == ["c"])
    }

    @Test func vanishedShardGivesItsGapAndHoldsItsChildren() throws {
        let after = try sequence("42")
        let stored = [ShardState(id: "a", position: .after(after), horizon: expired)]
        let listed = [ListedShard(id: "b", parents: ["a"], isOpen: true)]
        let lineage = plan(listed, stored)
        #expect(lineage.vanished.map(\.gap) == [GapRecord(after: after, from: expired, to: nil)])
        #expect(lineage.ready.isEmpty)
        #expect(!lineage.isStuck)
        var ended = stored
        ended[0].position = .ended
        #expect(plan(listed, ended).ready.map(\.id) == ["b"])
    }

    @Test func childBornAfterTheListingIsRead() {
        let stored = [
            ShardState(id: "a", position: .ended, horizon: now),
            ShardState(id: "b", parents: ["a"], position: .trimHorizon, horizon: now),
        ]
        #expect(plan([ListedShard(id: "a", isOpen: true)], stored).ready.map(\.id) == ["b"])
    }

    @Test func parentsThatNobodyKnowsAreNotWaitedFor() {
        #expect(plan([ListedShard(id: "c", parents: ["a", "b"], isOpen: true)]).ready.map(\.id) == ["c"])
    }

    @Test func circleOfParentsIsStuckAndNotReadForEver() {
        let listed = [
            ListedShard(id: "a", parents: ["b"], isOpen: false), ListedShard(id: "b", parents: ["a"], isOpen: false),
        ]
        #expect(plan(listed).isStuck)
        #expect(plan([ListedShard(id: "a", parents: ["a"], isOpen: true)]).ready.map(\.id) == ["a"])
    }

    @Test func rootThatAppearsLaterBeginsWithItsOldestRecord() {
        let start = StartSet(from: now, listed: [ListedShard(id: "a", isOpen: true)], openThen: ["a"])
        let listed = [ListedShard(id: "a", isOpen: true), ListedShard(id: "z", isOpen: true)]
        let stored = [ShardState(id: "a", position: .timestamp(now.milliseconds))]
        #expect(plan(listed, stored, start: start).new == [ShardState(id: "z", position: .trimHorizon)])
    }
}
