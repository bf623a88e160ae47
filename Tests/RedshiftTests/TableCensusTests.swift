import Batching
import CivilTime
import Redshift
import Testing

private let arrival = Timestamp(seconds: 1_795_385_770)

private func batch(
    shard: String = "shardId-000000000000", first: Int, last: Int, prefix: String = "data/h={host}/dt={date}/",
    objects: [(partition: String, rows: Int)] = [("data/h=a/dt=2026-11-22/", 3)], usesEventTime: Bool = false
) throws -> ExpectedBatch {
    let manifest = BatchManifest(
        intent: try intent(
            shard: shard, first: first, last: last, prefix: prefix, objects: objects, usesEventTime: usesEventTime))
    return try ExpectedBatch(manifest, key: "c/\(shard)/\(first).json")
}

private func intent(
    shard: String, first: Int, last: Int, prefix: String, objects: [(partition: String, rows: Int)],
    usesEventTime: Bool
) throws -> BatchIntent {
    let start = try #require(SequenceNumber(String(first)))
    return BatchIntent(
        job: "drupal", stream: "logs", streamCreation: arrival, shard: shard, first: start,
        last: try #require(SequenceNumber(String(last))), records: 3, previousManifest: nil,
        objects: objects.map { object in
            BatchObject(
                key: objectKey(prefix: object.partition, stream: "logs", shard: shard, first: start),
                rows: object.rows, bytes: 9, rowsBytes: 9, sha256: "a", rowsSHA256: "b", spoolFile: "s",
                firstEvent: arrival, lastEvent: arrival, partition: object.partition)
        },
        firstArrival: arrival, lastArrival: arrival.adding(.milliseconds(500)), firstEvent: arrival,
        lastEvent: arrival, statusCounts: [:],
        settings: BatchSettings(
            transform: .null, prefix: prefix, partitionTime: usesEventTime ? "event" : "arrival", gzipLevel: 6,
            gzipEngine: "z", chunkBytes: 1), createdBy: "test")
}

private func group(host: String?, rows: Int, distinct: Int? = nil, day: Timestamp = arrival) -> TableGroup {
    var group = TableGroup(batch: 0, rows: rows, distinct: distinct ?? rows)
    group.host = host
    group.time = day
    return group
}

@Suite struct TableCensusTests {
    @Test func onlyColumnsThatPartitionsAreMadeOfAreAskedFor() throws {
        func columns(_ prefix: String) throws -> [TableCensus.Column] {
            TableCensus([try batch(first: 1, last: 2, prefix: prefix)], table: .standard).columns
        }
        #expect(try columns("data/") == [])
        #expect(try columns("data/{stream}/{hour}/{date}/") == [.time])
        #expect(try columns("{severity}/{program}/{host}/{site}/") == [.severity, .program, .host, .site])
    }

    @Test func timesAreThoseOfThePartitions() throws {
        func statement(_ prefix: String, event: Bool) throws -> String {
            let one = try batch(first: 1, last: 2, prefix: prefix, usesEventTime: event)
            return TableCensus([one], table: .standard).statement
        }
        #expect(try statement("{date}/{hour}/", event: false).contains("DATE_TRUNC('hour', \"arrival_time\")"))
        #expect(try statement("{year}/{month}/{day}/", event: true).contains("DATE_TRUNC('day', \"event_time\")"))
        #expect(try !statement("{host}/", event: true).contains("DATE_TRUNC"))
    }

    @Test func theSpanOfArrivalIsThatOfTheBatches() throws {
        let statement = TableCensus([try batch(first: 1, last: 2)], table: .standard).statement
        #expect(statement.contains("BETWEEN '2026-11-22 22:16:10' AND '2026-11-22 22:16:10.500'"))
    }

    @Test func eachNumberLeadsToItsBatch() throws {
        // Batches with room between them, on two shards, in an order of no meaning.
        let batches =
            try (0..<7).map { try batch(first: 10 * $0 + 1, last: 10 * $0 + 5) }.reversed()
            + [try batch(shard: "b", first: 5, last: 6)]
        let statement = TableCensus(batches, table: .standard).statement
        for (index, batch) in batches.enumerated() {
            #expect(statement.contains("BETWEEN '\(batch.first.padded)' AND '\(batch.last.padded)' THEN \(index) END"))
        }
        // A tree of seven leaves has six forks.
        #expect(statement.matches(of: /"n" < '/).count == 6)
    }

    @Test func theLongestStatementFitsTheService() throws {
        let batches = try (0..<TableCensus.batchesMax).map { number in
            try batch(
                shard: String(repeating: "s", count: 60) + String(number + 1_000), first: 1, last: 2,
                prefix: "{site}/{host}/{program}/{severity}/{date}/{hour}/")
        }
        let statement = TableCensus(batches, table: TableName(schema: "public", table: "t")).statement
        #expect(statement.utf8.count <= 100_000)
    }

    @Test func namesGoIntoTheStatementQuoted() throws {
        let odd = try batch(shard: "a'b\\", first: 1, last: 2)
        let table = TableName(schema: "public", table: "t\"")
        #expect(TableCensus([odd], table: table).statement.contains("'a''b\\\\'"))
        #expect(TableCensus([odd], table: table).statement.contains("\"t\"\"\""))
        #expect(odd.condition.hasPrefix("\"shard_id\" = 'a''b\\\\' AND LPAD("))
    }
}

@Suite struct TableJudgeTests {
    private func judge(_ groups: [TableGroup], isLoaded: Bool = true, rows: Int = 3) throws -> [TableFault] {
        let one = try batch(
            first: 1, last: 9, objects: [("data/h=a/dt=2026-11-22/", rows), ("data/h=b/dt=2026-11-22/", 2)])
        return TableJudge.faults(of: one, isLoaded: isLoaded, groups: groups)
    }

    private func kinds(_ faults: [TableFault]) -> [TableFault.Kind] { faults.map(\.kind) }

    @Test func whatIsThereOnceIsRight() throws {
        #expect(try judge([group(host: "a", rows: 3), group(host: "b", rows: 2)]) == [])
        #expect(try judge([], isLoaded: false) == [])
    }

    @Test func eachFaultHasItsCounts() throws {
        let missing = try judge([group(host: "a", rows: 2), group(host: "b", rows: 2)])
        #expect(kinds(missing) == [.rowsMissing] && missing[0].expected == 3 && missing[0].found == 2)
        #expect(missing[0].key.hasPrefix("data/h=a/"))
        let doubled = try judge([group(host: "a", rows: 4, distinct: 3), group(host: "b", rows: 2)])
        #expect(kinds(doubled) == [.rowsDoubled] && doubled[0].found == 4)
        let hidden = try judge([group(host: "a", rows: 3, distinct: 2), group(host: "b", rows: 2)])
        #expect(kinds(hidden) == [.rowsMissing, .rowsDoubled])
        let more = try judge([group(host: "a", rows: 4), group(host: "b", rows: 2)])
        #expect(kinds(more) == [.rowsUnknown] && more[0].expected == 3 && more[0].found == 4)
    }

    @Test func rowsOfNoObjectAreNamedByTheirPartition() throws {
        let faults = try judge([
            group(host: "a", rows: 3), group(host: "b", rows: 2), group(host: nil, rows: 1), group(host: "c", rows: 2),
        ])
        #expect(kinds(faults) == [.rowsUnknown, .rowsUnknown])
        #expect(faults.map(\.found) == [1, 2] && faults.allSatisfy { $0.key.hasSuffix("/1.json") })
        #expect(faults[0].detail.contains("data/h=__none__/dt=2026-11-22/"))
    }

    @Test func aBatchWithoutAnyRowIsOneFault() throws {
        let faults = try judge([])
        #expect(kinds(faults) == [.batchMissing] && faults[0].expected == 5 && faults[0].found == 0)
    }

    @Test func rowsOfABatchThatIsNotLoadedAreUnrecorded() throws {
        let faults = try judge([group(host: "a", rows: 3)], isLoaded: false)
        #expect(kinds(faults) == [.unrecorded] && faults[0].found == 3)
    }

    @Test func theSurplusIsCountedTogether() throws {
        let shared = try batch(
            first: 1, last: 9, objects: [("data/h=a/dt=2026-11-22/", 1), ("data/h=__other__/dt=__other__/", 3)])
        let groups = [group(host: "a", rows: 1), group(host: "x", rows: 1), group(host: "y", rows: 2)]
        #expect(TableJudge.faults(of: shared, isLoaded: true, groups: groups) == [])
    }
}

@Suite struct LedgerJudgeTests {
    private func entry(rows: Int = 3, objects: Int = 1, load: String = "l1") -> LedgerEntry {
        LedgerEntry(manifest: "m", load: load, objects: objects, rows: rows)
    }

    @Test func oneEntryWithTheCountsOfTheManifestIsRight() throws {
        let one = try batch(first: 1, last: 9)
        #expect(LedgerJudge.faults(of: one, entries: []).isEmpty)
        #expect(LedgerJudge.faults(of: one, entries: [entry()]).isEmpty)
    }

    @Test func eachOtherLedgerIsNamed() throws {
        let one = try batch(first: 1, last: 9)
        let twice = LedgerJudge.faults(of: one, entries: [entry(), entry(load: "l2")])
        #expect(twice.map(\.kind) == [.doubled] && twice[0].found == 2 && twice[0].detail.contains("l1, l2"))
        let rows = LedgerJudge.faults(of: one, entries: [entry(rows: 4)])
        #expect(rows.map(\.kind) == [.counts] && rows[0].expected == 3 && rows[0].found == 4)
        #expect(LedgerJudge.faults(of: one, entries: [entry(objects: 2)]).map(\.kind) == [.counts])
        #expect(LedgerJudge.unknown([entry(), entry()]).found == 6)
    }
}
