// The pure rules of an archive run: pacing, patience, memory, clocks, failpoints.

import CivilTime
import Diagnostics
import Jobs
import Testing

@Suite struct PacerTests {
    @Test func aSmallPageWaitsForTheCallInterval() {
        var pacer = Pacer(bytesPerSecond: 2_000_000)
        #expect(pacer.wait(now: 5) == 0)
        pacer.note(end: 1_000, bytes: 10)
        #expect(pacer.wait(now: 1_000) == Pacer.callInterval)
        #expect(pacer.wait(now: 1_000 + Pacer.callInterval) == 0)
    }

    @Test func aLargePageWaitsForItsBytes() {
        var pacer = Pacer(bytesPerSecond: 2_000_000)
        pacer.note(end: 0, bytes: 10_000_000)
        #expect(pacer.wait(now: 0) == 5_000_000_000)
        #expect(pacer.wait(now: 4_999_999_999) == 1)
    }

    @Test func unlimitedNeverWaits() {
        var pacer = Pacer(bytesPerSecond: nil)
        pacer.note(end: 0, bytes: 1 << 30)
        #expect(pacer.wait(now: 0) == 0)
    }
}

@Suite struct MemoryPlanTests {
    static let settings = (1...64).flatMap { shards in [1, 20, 500, 2_000].map { (shards, $0) } }

    @Test(arguments: settings)
    func theLeastMemoryHoldsTheLeastOfEachObject(shards: Int, partitions: Int) {
        let least = MemoryPlan.memoryMin(shards: shards, partitions: partitions)
        let plan = MemoryPlan(memory: least, shards: shards, partitions: partitions, sealBytes: 64 << 20)
        #expect(plan.rowsBytes == partitions * MemoryPlan.rowsBytesMin)
    }

    @Test(arguments: settings)
    func whatIsPlannedFits(shards: Int, partitions: Int) {
        let least = MemoryPlan.memoryMin(shards: shards, partitions: partitions)
        for memory in [least, least * 2, least * 10] {
            let plan = MemoryPlan(memory: memory, shards: shards, partitions: partitions, sealBytes: 64 << 20)
            let shard = MemoryPlan.perShard + partitions * MemoryPlan.perObject + plan.rowsBytes
            let used = MemoryPlan.base + shards * shard
            #expect(used <= memory)
            #expect(memory - used < shards, "all but the rest of a division is given out")
        }
    }

    @Test(arguments: [
        (1 << 10, 16 << 10), (16 << 10, 16 << 10), ((32 << 10) - 1, 16 << 10), (32 << 10, 32 << 10),
        (1 << 20, 1 << 20), (64 << 20, 1 << 20),
    ])
    func chunksAreNoLargerThanAnObjectMayBe(sealBytes: Int, chunkBytes: Int) {
        let plan = MemoryPlan(memory: 512 << 20, shards: 4, partitions: 500, sealBytes: sealBytes)
        #expect(plan.chunkBytes == chunkBytes)
    }
}

@Suite struct FailpointsTests {
    @Test(arguments: ["nowhere=kill", "intent.before", "intent.before=explode", "intent.before:0=kill", "=kill"])
    func aMisspeltSpecificationIsRefused(text: String) {
        #expect(throws: InjectedFault.self) { try Failpoints(specification: text) }
    }

    @Test func onlyTheNamedHitActs() throws {
        let points = try Failpoints(specification: "intent.after:2=error, commit.before=error".replacing(" ", with: ""))
        try points.hit(.intentAfter)
        #expect(throws: InjectedFault.self) { try points.hit(.intentAfter) }
        try points.hit(.intentAfter)
        #expect(throws: InjectedFault.self) { try points.hit(.commitBefore) }
    }

    @Test func withoutASpecificationNothingActs() throws {
        let points = try Failpoints(specification: nil)
        for point in Failpoint.allCases { try points.hit(point) }
    }
}

@Suite struct ExitCodeTests {
    @Test func theMostUrgentProblemDecides() {
        #expect(ExitCode.mostUrgent([]) == .done)
        #expect(ExitCode.mostUrgent([.done, .temporary, .sourceGap]) == .sourceGap)
        #expect(ExitCode.mostUrgent([.destinationConflict, .permission]) == .destinationConflict)
    }
}
