// One random world of the simulation: a day of the stream and its job, damage, backfills at the same time, and the account.

import CivilTime
import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import Batching
@testable import Jobs

/// One world; everything in it follows from the seed, but for the order in which its processes take their turns.
final class World {
    let seed: UInt64
    var random: SeededRandom
    let cloud: FakeCloud
    let live: FakeHost
    let hosts: [FakeHost]
    let sealRecords: Int
    /// Objects of lost manifests stay.
    let keepsObjects: Bool
    var asked: [TimeRange] = []
    var deaths = 0
    var backfills = 0
    var rebuilds = 0
    /// Records in batches of backfills, in the end.
    var filled = 0
    /// Records of asked ranges that expired before anybody archived them, and were named.
    var named = 0

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        cloud = FakeCloud(shards: Int.random(in: 1...3, using: &random))
        let pages = [2, 5, 10_000].randomElement(using: &random) ?? 5
        cloud.content.withLock { $0.pageRecords = pages }
        let minutes = Int64.random(in: 0...120, using: &random)
        let start =
            [
                ArchiveJobFile.StartPosition.trimHorizon, .latest,
                .time(FakeCloud.creation.adding(.seconds(60 * minutes))),
            ].randomElement(using: &random) ?? .latest
        live = try FakeHost(cloud, start: start)
        hosts = try (0..<3).map { [cloud] _ in try FakeHost(cloud, start: start) }
        sealRecords = Int.random(in: 1...5, using: &random)
        keepsObjects = Int.random(in: 0..<4, using: &random) == 0
    }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    func run() async throws {
        try await live(through: Int.random(in: 4...9, using: &random))
        if chance(30) { try await loseState() }
        loseManifests()
        try check("before any backfill")
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            try await together()
            if chance(30) { try await loseState() }
        }
        try await finish()
    }

    /// A simulated day: records, resharding, runs of the job now and then, some of which die.
    func live(through parts: Int) async throws {
        for _ in 0..<parts {
            load(Int.random(in: 0...12, using: &random))
            if chance(30) { reshard() }
            if chance(60) { _ = try await live.archive(sealRecords: sealRecords, fate: liveFate()) }
        }
        try await live.archive(sealRecords: sealRecords)
    }

    func liveFate() -> Fate {
        guard chance(30) else { return .lives }
        deaths += 1
        return Fate(lastCall: Int.random(in: 1...40, using: &random), isLastCallEffective: chance(50))
    }

    /// The checkpoints are gone and come back from the manifests. What was planned and not finished is finished first:
    /// a plan is in the lost state alone.
    func loseState() async throws {
        try await live.archive(sealRecords: sealRecords)
        if try await live.rebuildState() { rebuilds += 1 }
    }

    func load(_ count: Int) {
        for _ in 0..<count {
            cloud.advance(to: cloud.now.adding(.seconds(Int64.random(in: 11...600, using: &random))))
            for shard in cloud.openShards where chance(50) { cloud.put(on: shard) }
        }
    }

    func reshard() {
        var open = cloud.openShards
        guard let first = open.randomElement(using: &random) else { return }
        open.removeAll { $0 == first }
        // Enough time between the parent's last record and the child's first.
        cloud.advance(to: cloud.now.adding(.seconds(60)))
        if let second = open.randomElement(using: &random), chance(50) {
            cloud.reshard([first, second])
        } else {
            cloud.reshard([first])
        }
        cloud.advance(to: cloud.now.adding(.seconds(60)))
    }

    /// Some manifests vanish, but never the last of a shard that the job still reads.
    func loseManifests(keepingObjects: Bool? = nil) {
        let keepsObjects = keepingObjects ?? self.keepsObjects
        let keys = cloud.keys("\(FakeHost.controlPrefix)commits/")
        for (_, found) in Dictionary(grouping: keys, by: { $0.split(separator: "/")[4] }) {
            for key in found.sorted().dropLast() where chance(35) {
                if !keepsObjects, let bytes = cloud.bytes(key), let manifest = try? BatchManifest.decode(bytes) {
                    for object in manifest.objects { cloud.remove(object.key) }
                }
                cloud.remove(key)
            }
        }
    }

    func randomRange() -> TimeRange {
        let span = cloud.now.since(FakeCloud.creation)
        let minutes = max(2, Int(span.components.seconds / 60))
        // A range that begins inside a lost batch would archive the rest of it under other keys than its objects have.
        let from = keepsObjects ? 0 : Int.random(in: 0..<minutes, using: &random)
        let to = Int.random(in: from + 1...minutes + 10, using: &random)
        return TimeRange(
            from: FakeCloud.creation.adding(.seconds(from * 60)), to: FakeCloud.creation.adding(.seconds(to * 60)))
    }

    /// Some backfills, and perhaps the job, at the same time.
    func together() async throws {
        let count = Int.random(in: 1...3, using: &random)
        let isSame = chance(30)
        let range = randomRange()
        await withTaskGroup(of: (Bool, String?).self) { group in
            for host in hosts.prefix(count) {
                let mine = isSame ? range : randomRange()
                asked.append(mine)
                let fate = Fate(
                    lastCall: chance(60) ? Int.random(in: 1...90, using: &random) : nil,
                    isLastCallEffective: chance(50),
                    lostAnswers: chance(40) ? Int.random(in: 3...12, using: &random) : 0,
                    seed: random.next())
                let seal = chance(70) ? sealRecords : Int.random(in: 1...6, using: &random)
                group.addTask {
                    do {
                        let done = try await host.backfill(mine.from, mine.to, sealRecords: seal, fate: fate)
                        let code = done.report.exitCode
                        let isFine = done.ended || [.done, .temporary, .sourceGap, .destinationConflict].contains(code)
                        return (done.ended, isFine ? nil : "\(code): \(done.report.problem?.summary ?? "")")
                    } catch {
                        return (false, "\(error)")
                    }
                }
                backfills += 1
            }
            if chance(50) {
                let (live, seal, fate) = (live, sealRecords, liveFate())
                group.addTask {
                    (false, (try? await live.archive(sealRecords: seal, fate: fate)) == nil ? "live run failed" : nil)
                }
            }
            if chance(50) { load(Int.random(in: 1...4, using: &random)) }
            for await (died, problem) in group {
                if died { deaths += 1 }
                if let problem { Issue.record("seed \(seed): \(problem)") }
            }
        }
        try check("after backfills \(asked.suffix(count).map { "\($0.from.seconds)-\($0.to.seconds)" })")
        if chance(40) { try await live.archive(sealRecords: sealRecords) }
    }

    /// At no time a record twice, nor one outside the ranges by a backfill, nor a link that is not true.
    @discardableResult
    func check(_ moment: String) throws -> FakeAudit {
        let audit = try FakeAudit(cloud)
        for problem in audit.problems { Issue.record("seed \(seed) \(moment): \(problem)") }
        for record in cloud.records where audit.filled.contains(record.sequence) {
            if !asked.contains(where: { $0.from <= record.arrival && record.arrival < $0.to }) {
                Issue.record("seed \(seed) \(moment): \(record.sequence) was not asked for")
            }
        }
        return audit
    }

    /// Without faults now: every range is completed, the job catches up, and nothing is left to do.
    func finish() async throws {
        try await live.archive(sealRecords: sealRecords)
        // A range may end inside an object whose manifest was lost; the whole day does not.
        if keepsObjects { asked.append(TimeRange(from: FakeCloud.creation, to: cloud.now.adding(.seconds(60)))) }
        for (index, range) in asked.enumerated() {
            let done = try await hosts[index % hosts.count].backfill(range.from, range.to, sealRecords: sealRecords)
            let isLast = index == asked.count - 1
            let allowed: [Int32] = keepsObjects && !isLast ? [0, 73] : [0]
            if !allowed.contains(done.report.status) {
                let problems =
                    done.report.shards.compactMap(\.figures.problem) + [done.report.problem].compactMap { $0 }
                Issue.record("seed \(seed): exit \(done.report.status) \(problems.map(\.summary)) \(done.report.lost)")
            }
        }
        let audit = try check("in the end")
        if audit.openClaims > 0 { Issue.record("seed \(seed): \(audit.openClaims) claims are open") }
        for record in cloud.records {
            let isAsked = asked.contains { $0.from <= record.arrival && record.arrival < $0.to }
            if isAsked, audit.covered[record.sequence] != 1 {
                Issue.record(
                    "seed \(seed): \(record.shard) \(record.sequence) is in \(audit.covered[record.sequence] ?? 0) batches"
                )
            }
        }
        filled = audit.filled.count
        // A batch that begins with records which nobody had archived can run across a lost one and leave its objects.
        var mayRunAcross = false
        if case .trimHorizon = live.start {} else { mayRunAcross = keepsObjects }
        if !mayRunAcross, !audit.strays.isEmpty { Issue.record("seed \(seed): strays \(audit.strays.sorted())") }
        let before = cloud.content.withLock { $0.writes }
        for range in asked {
            let again = try await hosts[0].backfill(range.from, range.to, sealRecords: sealRecords)
            if again.report.status != 0 || again.report.shards.contains(where: { $0.figures.records > 0 }) {
                Issue.record("seed \(seed): a repeated backfill ended with \(again.report.status)")
            }
        }
        if cloud.content.withLock({ $0.writes }) != before { Issue.record("seed \(seed): a repeated backfill wrote") }
    }
}
