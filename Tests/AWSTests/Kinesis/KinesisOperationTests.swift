import AWS
import CivilTime
import Diagnostics
import HTTP
import Testing

struct KinesisOperationTests {
    @Test func requestsCarryTargetTypeAndHash() async throws {
        let bench = Bench([.json(#"{"ShardIterator":"it"}"#)])
        _ = try await bench.kinesis.getShardIterator(stream: "s", shard: "shardId-0", position: .trimHorizon)
        let request = bench.server.requests[0]
        #expect(request.method == "POST")
        #expect(request.target.url == "https://kinesis.us-east-1.amazonaws.com/")
        #expect(request.header("X-Amz-Target") == "Kinesis_20131202.GetShardIterator")
        #expect(request.header("Content-Type") == "application/x-amz-json-1.1")
        let authorization = request.header("authorization") ?? ""
        #expect(authorization.contains("Credential=AKID1/20231114/us-east-1/kinesis/aws4_request, "))
    }

    @Test(arguments: [
        (IteratorPosition.trimHorizon, #""ShardIteratorType":"TRIM_HORIZON""#),
        (.latest, #""ShardIteratorType":"LATEST""#),
        (
            .atTimestamp(Timestamp(milliseconds: 1_700_000_000_123)),
            #""ShardIteratorType":"AT_TIMESTAMP","Timestamp":1700000000.123"#
        ),
        (
            .atTimestamp(Timestamp(microseconds: 1_700_000_000_001_999)),
            #""ShardIteratorType":"AT_TIMESTAMP","Timestamp":1700000000.001"#
        ),
        (
            .atTimestamp(Timestamp(seconds: 1_700_000_000)),
            #""ShardIteratorType":"AT_TIMESTAMP","Timestamp":1700000000"#
        ),
        (.atSequence("49"), #""ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":"49""#),
        (.afterSequence("49"), #""ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StartingSequenceNumber":"49""#),
    ])
    func fiveIteratorTypesAreAskedFor(position: IteratorPosition, json: String) async throws {
        let bench = Bench([.json(#"{"ShardIterator":"it"}"#), .json(#"{"ShardIterator":"it"}"#)])
        let iterator = try await bench.kinesis.getShardIterator(stream: "s", shard: "shardId-0", position: position)
        #expect(iterator == "it")
        #expect(bench.server.requests[0].bodyText == #"{"StreamName":"s","ShardId":"shardId-0",\#(json)}"#)
        let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
        _ = try await bench.kinesis.getShardIterator(stream: arn, shard: "shardId-0", position: position)
        #expect(bench.server.requests[1].bodyText == #"{"StreamARN":"\#(arn)","ShardId":"shardId-0",\#(json)}"#)
    }

    @Test func streamSummaryIsRead() async throws {
        let bench = Bench([
            .json(
                #"{"StreamDescriptionSummary":{"StreamName":"s","StreamARN":"a","StreamStatus":"ACTIVE","#
                    + #""StreamCreationTimestamp":1.795385468741E9,"RetentionPeriodHours":8760,"OpenShardCount":4,"#
                    + #""EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE"}}"#)
        ])
        let summary = try await bench.kinesis.describeStreamSummary(stream: "s")
        #expect(
            summary
                == StreamSummary(
                    name: "s", arn: "a", status: "ACTIVE", creation: Timestamp(milliseconds: 1_795_385_468_741),
                    retentionHours: 8_760, openShardCount: 4))
    }

    private func shardPage(_ ids: [Int], token: String? = nil) -> ScriptedServer.Step {
        let shards = ids.map {
            #"{"ShardId":"shardId-\#($0)","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"9"},"#
                + #""SequenceNumberRange":{"StartingSequenceNumber":"4"}}"#
        }
        let end = token.map { #","NextToken":"\#($0)""# } ?? ""
        return .json("{\"Shards\":[\(shards.joined(separator: ","))]\(end)}")
    }

    @Test func shardListIsPagedAndATokenStandsAlone() async throws {
        let bench = Bench([shardPage([0, 1], token: "t1"), shardPage([], token: "t2"), shardPage([2])])
        let shards = try await bench.kinesis.listShards(stream: "s", filter: .fromTrimHorizon)
        #expect(shards.map(\.id) == ["shardId-0", "shardId-1", "shardId-2"])
        #expect(
            bench.server.requests.map(\.bodyText) == [
                #"{"MaxResults":1000,"StreamName":"s","ShardFilter":{"Type":"FROM_TRIM_HORIZON"}}"#,
                #"{"MaxResults":1000,"NextToken":"t1"}"#, #"{"MaxResults":1000,"NextToken":"t2"}"#,
            ])
    }

    @Test func expiredListTokenStartsTheListingAnew() async throws {
        let expired = ScriptedServer.Step.jsonError("ExpiredNextTokenException")
        let bench = Bench([shardPage([0], token: "t1"), expired, shardPage([0], token: "t2"), shardPage([1])])
        #expect(try await bench.kinesis.listShards(stream: "s").map(\.id) == ["shardId-0", "shardId-1"])
        #expect(bench.server.requests[2].bodyText == #"{"MaxResults":1000,"StreamName":"s"}"#)

        let rounds = KinesisClient.listingRestartsMax + 1
        let stuck = Bench((0..<rounds).flatMap { _ in [shardPage([0], token: "t"), expired] })
        let error = await failure { () async throws(AWSError) in try await stuck.kinesis.listShards(stream: "s") }
        #expect(error?.code == "ExpiredNextTokenException")
        #expect(error?.exitCode == .temporary)
        #expect(stuck.server.stepsLeft == 0)
    }

    @Test func endlessShardListIsRefusedAtTheLimit() async {
        let pages = KinesisClient.shardPagesMax
        let bench = Bench((0..<pages + 1).map { _ in shardPage([], token: "t") })
        let error = await failure { () async throws(AWSError) in try await bench.kinesis.listShards(stream: "s") }
        #expect(error?.code == "TooManyShards")
        #expect(bench.server.stepsLeft == 1)
    }

    @Test(arguments: [
        (ShardFilter.afterShardID("shardId-7"), #"{"Type":"AFTER_SHARD_ID","ShardId":"shardId-7"}"#),
        (.atTrimHorizon, #"{"Type":"AT_TRIM_HORIZON"}"#), (.atLatest, #"{"Type":"AT_LATEST"}"#),
        (.atTimestamp(Timestamp(milliseconds: 1_500)), #"{"Type":"AT_TIMESTAMP","Timestamp":1.500}"#),
        (.fromTimestamp(Timestamp(seconds: 2)), #"{"Type":"FROM_TIMESTAMP","Timestamp":2}"#),
    ])
    func filtersAreWritten(filter: ShardFilter, json: String) async throws {
        let bench = Bench([shardPage([])])
        _ = try await bench.kinesis.listShards(stream: "s", filter: filter)
        #expect(
            bench.server.requests[0].bodyText == #"{"MaxResults":1000,"StreamName":"s","ShardFilter":\#(json)}"#)
    }

    @Test func lineageOfAShardIsRead() async throws {
        let bench = Bench([
            .json(
                #"{"Shards":[{"ShardId":"c","ParentShardId":"a","AdjacentParentShardId":"b","HashKeyRange":"#
                    + #"{"StartingHashKey":"0","EndingHashKey":"340282366920938463463374607431768211455"},"#
                    + #""SequenceNumberRange":{"StartingSequenceNumber":"1","EndingSequenceNumber":"2"}}]}"#)
        ])
        let shard = try await bench.kinesis.listShards(stream: "s").first
        #expect(shard?.parentID == "a")
        #expect(shard?.adjacentParentID == "b")
        #expect(shard?.endingSequence == "2")
        #expect(shard?.endingHashKey == "340282366920938463463374607431768211455")
    }

    @Test func cutPageIsAskedForAgainWithTheSameIterator() async throws {
        let good = #"{"Records":[],"NextShardIterator":"n","MillisBehindLatest":0}"#
        let bench = Bench([.json(String(good.dropLast(5))), .json(good)])
        let page = try await bench.kinesis.getRecords(iterator: "it", limit: 20_000, subject: "s/shardId-0")
        #expect(page.nextIterator == "n")
        #expect(
            bench.server.requests.map(\.bodyText)
                == Array(repeating: #"{"ShardIterator":"it","Limit":10000}"#, count: 2))
        #expect(bench.log.lines.first?.contains("get records of s/shardId-0: 200 MalformedAnswer: byte ") == true)
    }

    @Test func serverDateIsTheAnswersOwn() async throws {
        let good = #"{"Records":[],"NextShardIterator":"n","MillisBehindLatest":0}"#
        let bench = Bench([.json(good, headers: [HTTPHeader("date", "Sun, 06 Nov 1994 08:49:37 GMT")]), .json(good)])
        #expect(try await bench.kinesis.getRecords(iterator: "i").serverDate == Timestamp(seconds: 784_111_777))
        #expect(try await bench.kinesis.getRecords(iterator: "i").serverDate == bench.clock.now())
    }
}
