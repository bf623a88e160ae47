// Each limit one below, at, and one above.

import Batching
import CivilTime
import Testing

struct RuleTests {
    @Test(arguments: [
        (999, 49, 4, false), (1_000, 0, 0, true), (1_001, 0, 0, true), (0, 50, 0, true), (0, 51, 0, true),
        (0, 0, 5, true), (0, 0, 6, true), (0, 0, 0, false),
    ])
    func batchIsCutAtEachLimit(bytes: Int, records: Int, partitions: Int, expected: Bool) {
        let policy = SealPolicy(bytes: 1_000, records: 50, partitions: 5)
        #expect(
            policy.mustSeal(largestObjectBytes: bytes, records: records, openPartitions: partitions) == expected)
    }

    @Test func batchNeverHasMoreThan2500Objects() {
        let policy = SealPolicy(bytes: 1, records: 1, partitions: SealPolicy.partitionsLimit)
        #expect(policy.partitionsMax + 1 == 2_500)
        #expect(SealPolicy.objectsMax == 2_500)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func horizonExpiresJustAfterTheRetention(offset: Int64, isSafe: Bool) throws {
        let retention = Duration.seconds(86_400)
        let horizon = sampleTime.adding(.microseconds(-offset) - retention)
        let checkpoint = try sequence("7")
        let gap = GapCheck.gap(
            after: checkpoint, horizon: horizon, firstArrival: sampleTime, now: sampleTime, retention: retention)
        #expect(gap == (isSafe ? nil : GapRecord(after: checkpoint, from: horizon, to: sampleTime)))
    }

    @Test func unknownHorizonCountsAsAGap() throws {
        let checkpoint = try sequence("7")
        let gap = GapCheck.gap(
            after: checkpoint, horizon: nil, firstArrival: nil, now: sampleTime, retention: .seconds(1))
        #expect(gap == GapRecord(after: checkpoint, from: nil, to: nil))
    }

    @Test(
        arguments: [
            (RunEnd.drained, Int64(0), nil, nil, true), (.drained, 1, 1, 1, false),
            (.time(sampleTime), 0, nil, nil, true), (.time(sampleTime), 1, nil, nil, false),
            (.time(sampleTime), 1, -1, -1, false), (.time(sampleTime), 1, 0, nil, true),
            (.time(sampleTime), 1, 1, nil, true), (.time(sampleTime), 1, nil, 0, true),
            (.time(sampleTime), 1, -1, 1, true),
        ] as [(RunEnd, Int64, Int64?, Int64?, Bool)])
    func runEndsAtTheTipOrPastItsTime(
        end: RunEnd, behind: Int64, arrival: Int64?, horizon: Int64?, expected: Bool
    ) {
        let reached = end.isReached(
            millisBehindLatest: behind, lastArrival: arrival.map { sampleTime.adding(.microseconds($0)) },
            horizon: horizon.map { sampleTime.adding(.microseconds($0)) })
        #expect(reached == expected)
    }

    @Test(arguments: [
        "trim_horizon", "ended", "timestamp:0", "timestamp:-5", "timestamp:1700000000000", "after:0", "after:12",
    ])
    func positionIsReadBackFromItsText(text: String) throws {
        #expect(try #require(ShardPosition(text)).description == text)
    }

    @Test(arguments: [
        "", "latest", "after", "after:", "after:01", "timestamp:", "timestamp:+5", "timestamp:1e3", "ended:",
        "trim_horizon:", "after:1:2", "timestamp:99999999999999999999",
    ])
    func otherTextIsNoPosition(text: String) { #expect(ShardPosition(text) == nil) }
}
