import Batching
import CivilTime
import Diagnostics
import Foundation
import Testing

struct BatchTests {
    @Test func manifestHasExactlyTheseBytes() throws {
        let hash = String(repeating: "ab", count: 32)
        let other = String(repeating: "ba", count: 32)
        let number = "0000000049590338271490256608559692538361571095921575989136588898"
        func object(_ site: String) -> String {
            #"{"bytes":120,"first_event":"2024-11-22T20:31:05.250Z","#
                + #""key":"drupal/site=\#(site)/logs-shardId-000000000001-\#(number).ndjson.gz","#
                + #""last_event":"2024-11-22T20:31:07.250Z","partition":"drupal/site=\#(site)/","rows":3,"#
                + #""rows_bytes":900,"rows_sha256":"\#(other)","sha256":"\#(hash)"}"#
        }
        let expected =
            #"{"created_by":"sluice 0.1.0","first":"49590338271490256608559692538361571095921575989136588898","#
            + #""first_arrival":"2024-11-22T20:31:05.250Z","first_event":"2024-11-22T20:31:05.250Z","#
            + #""format_version":1,"job":"drupal","last":"49590338271490256608559692538361571095921575989136588999","#
            + #""last_arrival":"2024-11-22T20:31:06.250Z","last_event":"2024-11-22T20:31:07.250Z","#
            + #""objects":[\#(object("a")),\#(object("b"))],"parents":["shardId-000000000000"],"records":5,"rows":6,"#
            + #""rows_by_status":{"ok":5,"unparsed":1},"#
            + #""settings":{"chunk_bytes":131072,"gzip_engine":"zlib 1.2.13","gzip_level":6,"partition_time":"arrival","#
            + #""prefix":"drupal/site={site}/","transform":{"format":"auto","sites":{"www.example.org":"ex"}}},"#
            + #""shard":"shardId-000000000001","stream":"logs","stream_creation":"2023-11-14T22:13:20.123Z"}"# + "\n"
        let manifest = BatchManifest(intent: try sampleIntent())
        let bytes = try manifest.canonicalBytes()
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        #expect(try BatchManifest.decode(bytes) == manifest)
    }

    @Test func manifestOfAnyShapeValidatesAgainstTheSchema() throws {
        let schema = try JSONSchemaCheck.load("manifest.schema.json")
        var intent = try sampleIntent()
        for gap in [
            nil, GapRecord(after: intent.first, from: sampleTime, to: nil), GapRecord(after: nil, from: nil, to: nil),
        ] {
            for previous in [nil, "_sluice/drupal/commits/1/s/0.json"] {
                intent.gap = gap
                intent.previousManifest = previous
                intent.horizon = gap == nil ? nil : sampleTime
                intent.parents = gap == nil ? [] : ["a", "b"]
                #expect(schema.problems(try BatchManifest(intent: intent).canonicalBytes()) == [])
            }
        }
    }

    @Test(arguments: [
        (#""rows":6"#, #""rows":-1"#), (#""rows":6,"#, ""), (#""format_version":1"#, #""format_version":2"#),
        (#""job":"drupal""#, #""job":"Drupal""#), (#""records":5"#, #""records":0"#),
        (#""records":5"#, #""records":5,"surplus":1"#), (#""parents":["#, #""parents":[1,"#),
    ])
    func schemaFindsWhatIsWrong(from: String, to: String) throws {
        let text = String(decoding: try BatchManifest(intent: try sampleIntent()).canonicalBytes(), as: UTF8.self)
        let schema = try JSONSchemaCheck.load("manifest.schema.json")
        #expect(text.contains(from))
        #expect(schema.problems(Array(text.replacingOccurrences(of: from, with: to).utf8)) != [])
    }

    @Test func objectOrderDoesNotChangeTheManifest() throws {
        let intent = try sampleIntent()
        var turned = intent
        turned.objects.reverse()
        #expect(try BatchManifest(intent: intent).canonicalBytes() == BatchManifest(intent: turned).canonicalBytes())
    }

    @Test func intentSurvivesItsStoredForm() throws {
        var intent = try sampleIntent()
        intent.gap = GapRecord(after: intent.first, from: sampleTime, to: nil)
        #expect(try BatchIntent.decode(intent.canonicalBytes()) == intent)
    }

    @Test func newerOrBrokenDocumentIsRefusedWithItsReason() throws {
        let text = String(decoding: try sampleIntent().canonicalBytes(), as: UTF8.self)
        let cases: [(String, String)] = [
            (text.replacingOccurrences(of: #""format_version":1"#, with: #""format_version":2"#), "format version 2"),
            (text.replacingOccurrences(of: #""format_version":1"#, with: #""format_version":0"#), "format version 0"),
            (text.replacingOccurrences(of: #""shard":"#, with: #""shart":"#), "shard is missing"),
            (text.replacingOccurrences(of: #""records":5"#, with: #""records":"5""#), "records"),
            (text.replacingOccurrences(of: "05.250Z", with: "05.25Z"), "UTC instant"),
            (String(text.dropLast(20)), "not JSON"), ("", "not JSON"),
        ]
        for (broken, reason) in cases {
            let error = #expect(throws: DocumentError.self) { try BatchIntent.decode(Array(broken.utf8)) }
            #expect(error?.cause.contains(reason) == true, "\(error?.cause ?? "")")
            #expect(error?.exitCode == .stateOrIdentity)
        }
    }

    @Test func sameBatchIsRecognisedWhateverCompressedIt() throws {
        let intent = try sampleIntent()
        let manifest = BatchManifest(intent: intent)
        var recompressed = intent
        recompressed.objects[0].sha256 = String(repeating: "0", count: 64)
        recompressed.objects[0].bytes += 1
        recompressed.createdBy = "sluice 9"
        #expect(manifest.describesSameBatch(as: BatchManifest(intent: recompressed)))
        let changes: [(inout BatchIntent) throws -> Void] = [
            { $0.objects[0].rowsSHA256 = String(repeating: "0", count: 64) }, { $0.objects.removeLast() },
            { $0.last = try sequence("49590338271490256608559692538361571095921575989136589000") },
            { $0.records += 1 }, { $0.shard += "x" }, { $0.previousManifest = "x" },
            { $0.streamCreation = sampleTime }, { $0.objects[1].key += "x" }, { $0.objects[0].rows += 1 },
        ]
        for change in changes {
            var changed = intent
            try change(&changed)
            #expect(!manifest.describesSameBatch(as: BatchManifest(intent: changed)))
        }
    }

    @Test func manifestKeyIsReadBackAndForeignKeysAreNot() throws {
        let manifest = BatchManifest(intent: try sampleIntent())
        let key = manifest.key(controlPrefix: "_sluice/drupal/")
        #expect(
            key == "_sluice/drupal/commits/1700000000123/shardId-000000000001/"
                + "0000000049590338271490256608559692538361571095921575989136588898.json")
        func read(_ key: String) -> ManifestKey? {
            ManifestKey(key, controlPrefix: "_sluice/drupal/", streamCreation: manifest.streamCreation)
        }
        #expect(read(key) == ManifestKey(shard: manifest.shard, first: manifest.first))
        let foreign = [
            key + ".bak", key.replacingOccurrences(of: "1700000000123", with: "1700000000124"),
            key.replacingOccurrences(of: "/0000", with: "/000"), key.replacingOccurrences(of: ".json", with: ""),
            "_sluice/drupal/owner.json", key.replacingOccurrences(of: "shardId-000000000001", with: ""),
        ]
        #expect(foreign.allSatisfy { read($0) == nil })
    }

    @Test func ownerMarkerSurvivesItsForm() throws {
        let marker = OwnerMarker(
            job: "drupal", stream: "logs", streamARN: "arn:aws:kinesis:us-east-1:1:stream/logs",
            streamCreation: sampleTime, stateID: "id", generation: 7, claimID: "c",
            start: StartSet(positions: ["a": .timestamp(12), "b": .ended]))
        #expect(try OwnerMarker.decode(marker.canonicalBytes()) == marker)
        #expect(OwnerMarker.key(controlPrefix: "_sluice/drupal/") == "_sluice/drupal/owner.json")
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000001Z"), (-1, "1969-12-31T23:59:59.999999Z"),
        (1_000, "1970-01-01T00:00:00.001Z"), (86_399_000_000, "1970-01-01T23:59:59Z"),
        (1_709_208_000_000_000, "2024-02-29T12:00:00Z"),
    ])
    func instantIsWrittenAndReadBack(microseconds: Int64, text: String) throws {
        let gap = GapRecord(after: nil, from: Timestamp(microseconds: microseconds), to: nil)
        let json = try JSONEncoder().encode(gap)
        #expect(String(decoding: json, as: UTF8.self) == #"{"from":"\#(text)"}"#)
        #expect(try JSONDecoder().decode(GapRecord.self, from: json) == gap)
    }

    @Test(arguments: [
        "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.000Z",
        "2024-01-01T00:00:00.100000Z", "2024-01-01T00:00:00+00:00", "", "2024-01-0xT00:00:00Z",
    ])
    func otherSpellingsOfAnInstantAreRefused(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(GapRecord.self, from: Data(#"{"from":"\#(text)"}"#.utf8))
        }
    }

    @Test func settingsCarryAnyTransformThrough() throws {
        struct Settings: Codable, Equatable {
            var name = "UTC"
            var list = [1, -2]
            var flag = true
            var missing: String?
            var map = ["a": "b", "c/d": "é\""]
        }
        let value = try JSONValue(encoding: Settings())
        #expect(try value.decode(as: Settings.self) == Settings())
        #expect(try JSONValue(encoding: value) == value)
    }
}
