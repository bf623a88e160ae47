import Batching
import CivilTime
import Testing

struct ShardTallyTests {
    @Test func batchesAddUpAndTheRateFollowsTheRecentOnes() throws {
        var tally = ShardTally()
        var batch = try sampleIntent()
        batch.recordBytes = 6_000
        batch.firstArrival = Timestamp(seconds: 0)
        batch.lastArrival = Timestamp(seconds: 60)
        tally.add(batch)
        #expect(tally.records == 5 && tally.rows == 6 && tally.objects == 2 && tally.objectBytes == 240)
        #expect(tally.statusCounts == ["ok": 5, "unparsed": 1] && tally.batches == 1)
        #expect(tally.lastArrival == Timestamp(seconds: 60))
        #expect(tally.rate.bytesPerSecond == 100)
        // An hour of a tenth of it: about a third of the old rate is left in the mean.
        for minute in 2...61 {
            batch.recordBytes = 600
            batch.firstArrival = Timestamp(seconds: Int64(minute * 60 - 1))
            batch.lastArrival = Timestamp(seconds: Int64(minute * 60))
            tally.add(batch)
        }
        let rate = try #require(tally.rate.bytesPerSecond)
        #expect((10...12).contains(rate), "\(rate)")
        var totals = ShardTally()
        totals.addTotals(of: tally)
        totals.addTotals(of: tally)
        #expect(totals.records == 2 * tally.records && totals.lastArrival == nil)
    }

    @Test func rateIsUnknownUntilTimeHasPassed() {
        var rate = IngestRate()
        #expect(rate.bytesPerSecond == nil)
        rate.add(bytes: 10, from: sampleTime, to: sampleTime)
        #expect(rate.bytesPerSecond == nil)
        rate.add(bytes: 10, from: sampleTime, to: sampleTime.adding(.seconds(-5)))
        #expect(rate.bytesPerSecond == nil, "arrivals out of order are no time")
    }
}
