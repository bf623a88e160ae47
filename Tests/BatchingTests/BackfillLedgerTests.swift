import Batching
import CivilTime
import Testing

private typealias Shard = BackfillShard

@Suite struct BackfillLedgerTests {
    @Test func ledgerSurvivesItsStoredForm() throws {
        let ledger = try Shard.ledger(
            claims: [try Shard.intent(4..<6, backfill: BackfillMark()), try Shard.intent(1..<3)],
            joined: [(3, 4), (0, 1)])
        #expect(try BackfillLedger.decode(ledger.canonicalBytes()) == ledger)
        #expect(ledger.claims.map(\.intent.first) == [try Shard.sequence(1), try Shard.sequence(4)])
        #expect(ledger.joined.map(\.after) == [try Shard.sequence(0), try Shard.sequence(3)])
        #expect(
            BackfillLedger.key(controlPrefix: "_sluice/drupal/", streamCreation: Shard.creation, shard: Shard.id)
                == "_sluice/drupal/backfill/1700000000123/shardId-000000000001.json")
    }

    @Test func anyCommonRecordTouchesAClaim() throws {
        let ledger = try Shard.ledger(claims: [try Shard.intent(3..<6)])
        for first in 0..<9 {
            for last in first..<9 {
                let found = ledger.claim(touching: try Shard.sequence(first), through: try Shard.sequence(last))
                #expect((found != nil) == (first...last).overlaps(3...5), "\(first)...\(last)")
            }
        }
    }

    @Test func everyChangeGivesNewBytes() throws {
        var ledger = try Shard.ledger()
        let empty = try ledger.canonicalBytes()
        ledger.add(.init(id: "a", intent: try Shard.intent(0..<2)))
        #expect(ledger.generation == 1)
        let changed = ledger.settle(committed: [try Shard.sequence(0)], joined: [])
        #expect(changed && ledger.claims.isEmpty && ledger.generation == 2)
        #expect(try ledger.canonicalBytes() != empty, "an ETag of the same bytes would hide what happened in between")
        let again = ledger.settle(committed: [try Shard.sequence(0)], joined: [])
        #expect(!again && ledger.generation == 2)
    }

    @Test func theOldestFactsAreForgottenFirst() throws {
        var ledger = try Shard.ledger()
        let found = try (0...BackfillLedger.joinedMax).map {
            BackfillLedger.Joined(after: try Shard.sequence($0), before: try Shard.sequence($0 + 1))
        }
        _ = ledger.settle(committed: [], joined: found)
        #expect(ledger.joined.count == BackfillLedger.joinedMax)
        #expect(ledger.joined.first == found[1])
    }

    @Test func manifestFactsAreReadFromAManifestAndFromNothingElse() throws {
        let intent = try Shard.intent(2..<4, previous: Shard.key(0), backfill: BackfillMark(after: Shard.sequence(1)))
        let manifest = BatchManifest(intent: intent)
        let key = manifest.key(controlPrefix: Shard.controlPrefix)
        let bytes = try manifest.canonicalBytes()
        func read(_ bytes: [UInt8], first: Int = 2, job: String = "drupal", stream: String = "logs") throws
            -> ManifestFacts
        {
            try ManifestFacts(
                bytes, key: key, expecting: ManifestKey(shard: Shard.id, first: try Shard.sequence(first)), job: job,
                stream: stream)
        }
        #expect(try read(bytes) == ManifestFacts(promisedBy: intent, key: key))
        #expect(throws: DocumentError.self) { try read(bytes, first: 3) }
        #expect(throws: DocumentError.self) { try read(bytes, job: "other") }
        #expect(throws: DocumentError.self) { try read(bytes, stream: "other") }
        #expect(throws: DocumentError.self) { try read(Array(bytes.dropLast(9))) }
        let newer = String(decoding: bytes, as: UTF8.self).replacing(
            "\"format_version\":1", with: "\"format_version\":2")
        #expect(throws: DocumentError.self) { try read(Array(newer.utf8)) }
    }

    @Test func manifestOfABackfillValidatesAgainstTheSchema() throws {
        let schema = try JSONSchemaCheck.load("manifest.schema.json")
        for mark in [BackfillMark(), BackfillMark(after: try Shard.sequence(1))] {
            let manifest = BatchManifest(intent: try Shard.intent(2..<4, backfill: mark))
            #expect(schema.problems(try manifest.canonicalBytes()) == [])
            #expect(try BatchManifest.decode(manifest.canonicalBytes()) == manifest)
        }
    }
}
