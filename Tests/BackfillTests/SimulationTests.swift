// Random worlds in which the real jobs run against a cloud in memory: a stream that is resharded, a job that runs now and
// then, manifests that get lost, and backfills of random ranges from several hosts at the same time, which lose answers
// and die at random calls. Whatever happens, no record is in two batches, none outside the asked ranges is touched, and
// in the end every record of every range is in exactly one.

import Foundation
import Testing

/// The same worlds each time; SLUICE_WORLDS=N for more, SLUICE_SEED=S for others.
private let worldCount = UInt64(ProcessInfo.processInfo.environment["SLUICE_WORLDS"] ?? "") ?? 12
private let firstSeed = UInt64(ProcessInfo.processInfo.environment["SLUICE_SEED"] ?? "") ?? 20_261_128

@Suite(.serialized) struct SimulationTests {
    @Test func everyRecordOfEachRangeIsArchivedOnceAndNoneOutside() async throws {
        var told = Told()
        for seed in firstSeed..<firstSeed + worldCount {
            let world = try World(seed: seed)
            try await world.run()
            told.add(world)
        }
        told.tell()
        #expect(told.deaths > 0 && told.rebuilds > 0 && told.filled > 0)
    }

    @Test func whatHasExpiredIsNamedAndTheRestIsArchivedOnce() async throws {
        var told = Told()
        for seed in firstSeed..<firstSeed + worldCount / 2 {
            let world = try World(seed: seed)
            try await world.runIntoExpiry()
            told.add(world)
        }
        told.tell()
        #expect(told.filled > 0 && told.named > 0)
    }
}

/// What all worlds of a test have seen.
private struct Told {
    var worlds = 0
    var backfills = 0
    var deaths = 0
    var rebuilds = 0
    var filled = 0
    var named = 0

    mutating func add(_ world: World) {
        worlds += 1
        backfills += world.backfills
        deaths += world.deaths
        rebuilds += world.rebuilds
        filled += world.filled
        named += world.named
    }

    func tell() {
        print(
            "seed \(firstSeed), \(worlds) worlds: \(backfills) backfills, \(deaths) deaths, \(rebuilds) states rebuilt;",
            "\(filled) records filled, \(named) expired and named; 0 lost, 0 doubled, 0 outside")
    }
}
