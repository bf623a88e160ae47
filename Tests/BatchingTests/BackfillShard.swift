// A small shard for the tests of backfill plans: numbered records, a minute apart, and batches of them.

import Batching
import CivilTime
import Testing

/// Record `i` has the sequence number 100 + 10 i and arrived `i` minutes after the shard's first.
enum BackfillShard {
    static let controlPrefix = "_sluice/drupal/"
    static let creation = Timestamp(milliseconds: 1_700_000_000_123)
    static let id = "shardId-000000000001"

    static func arrival(_ record: Int) -> Timestamp { creation.adding(.seconds(60 * (record + 1))) }

    static func sequence(_ record: Int) throws -> SequenceNumber {
        try #require(SequenceNumber(String(100 + 10 * record)))
    }

    static func number(_ sequence: SequenceNumber) throws -> Int { (try #require(Int(sequence.text)) - 100) / 10 }

    /// `[from, to)` in record numbers.
    static func range(_ from: Int, _ to: Int) -> TimeRange { TimeRange(from: arrival(from), to: arrival(to)) }

    static func intent(
        _ records: Range<Int>, previous: String? = nil, backfill: BackfillMark? = nil, gap: GapRecord? = nil,
        parents: [String] = []
    ) throws -> BatchIntent {
        var intent = try sampleIntent()
        intent.shard = id
        intent.parents = parents
        intent.streamCreation = creation
        intent.first = try sequence(records.lowerBound)
        intent.last = try sequence(records.upperBound - 1)
        intent.records = records.count
        intent.recordBytes = records.count * 100
        intent.previousManifest = previous
        intent.backfill = backfill
        intent.gap = gap
        intent.firstArrival = arrival(records.lowerBound)
        intent.lastArrival = arrival(records.upperBound - 1)
        return intent
    }

    static func key(_ first: Int) throws -> String {
        ManifestKey(shard: id, first: try sequence(first)).text(
            controlPrefix: controlPrefix, streamCreation: creation)
    }

    /// A batch of the job itself, which continues the one that began with `previous`.
    static func live(
        _ records: Range<Int>, after previous: Int?, gap: GapRecord? = nil, parents: [String] = []
    ) throws -> ManifestFacts {
        ManifestFacts(
            promisedBy: try intent(records, previous: try previous.map(key), gap: gap, parents: parents),
            key: try key(records.lowerBound))
    }

    /// A batch of a backfill; `after` is the record before it when nothing is missing in between.
    static func filled(_ records: Range<Int>, after: Int? = nil, previous: Int? = nil) throws -> ManifestFacts {
        ManifestFacts(
            promisedBy: try intent(
                records, previous: try previous.map(key), backfill: BackfillMark(after: try after.map(sequence))),
            key: try key(records.lowerBound))
    }

    static func ledger(
        claims: [BatchIntent] = [], joined: [(Int, Int)] = []
    ) throws -> BackfillLedger {
        var ledger = BackfillLedger(job: "drupal", stream: "logs", streamCreation: creation, shard: id)
        for (index, intent) in claims.enumerated() { ledger.add(.init(id: "claim-\(index)", intent: intent)) }
        _ = ledger.settle(
            committed: [],
            joined: try joined.map { BackfillLedger.Joined(after: try sequence($0), before: try sequence($1)) })
        return ledger
    }

    /// The plan of a whole listing.
    static func plan(
        _ manifests: [ManifestFacts], _ range: TimeRange, beginning: RangePlan.Beginning = .oldest,
        tail: RangePlan.Tail = .live, ledger: BackfillLedger? = nil
    ) -> RangePlan {
        var plan = RangePlan(
            range: range, beginning: beginning, ledger: ledger,
            controlPrefix: controlPrefix)
        for manifest in manifests where !plan.isPast { plan.add(manifest) }
        plan.finish(tail)
        return plan
    }

    /// The records that reading the plan's holes takes, when the shard holds `records`.
    static func taken(_ plan: RangePlan, of records: Range<Int>) throws -> [Int] {
        var taken: [Int] = []
        for hole in plan.holes {
            var cursor = RangeCursor(hole: hole, range: plan.range)
            reading: for record in records {
                switch cursor.judge(try sequence(record), arrival: arrival(record)) {
                case .take: taken.append(record)
                case .skip: continue
                case .reachedManifest, .reachedEnd: break reading
                }
            }
        }
        return taken
    }
}
