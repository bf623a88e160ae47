// A shipper has a patience of its own: its client tries once, and only what is cured by signing anew goes out again.
import AWS
import Diagnostics
import HTTP
import Testing

struct PutRecordsPatienceTests {
    private static let hourLater = HTTPHeader("Date", "Tue, 14 Nov 2023 23:13:20 GMT")

    private func bench(_ steps: [ScriptedServer.Step]) -> Bench {
        Bench(steps, retry: RetrySettings(attemptsMax: 1), hasToken: true)
    }

    private func put(_ bench: Bench, freshConnection: Bool = false) async throws(AWSError) -> PutRecordsAnswer {
        try await bench.kinesis.putRecords(
            stream: "s", batch: putBatch(count: 1), freshConnection: freshConnection)
    }

    @Test(arguments: [
        ScriptedServer.Step.status(500), .status(503), .fail(.receive), .fail(.connect), .json(""), .status(429),
        .jsonError("ProvisionedThroughputExceededException"), .jsonError("KMSThrottlingException"),
    ])
    func oneTryIsMadeAndTheErrorMayPass(step: ScriptedServer.Step) async {
        let bench = bench([step])
        let error = await failure { () async throws(AWSError) in try await put(bench) }
        #expect(error?.isTransient == true)
        #expect(bench.server.requests.count == 1)
        #expect(bench.counter.counts.retries == 0)
        #expect(bench.clock.slept.isEmpty)
    }

    @Test func clockIsCorrectedAndKeysAreRenewedAllTheSame() async throws {
        let bench = bench([
            .jsonError("RequestExpired", headers: [Self.hourLater]), .jsonError("ExpiredTokenException"),
            .json(putAnswer(1)),
        ])
        #expect(try await put(bench).storedCount == 1)
        #expect(bench.server.requests.last?.header("x-amz-date") == "20231114T231320Z")
        #expect(bench.server.requests.last?.header("x-amz-security-token") == "token-2")
        #expect(bench.clock.slept.isEmpty)
    }

    @Test func clockAndKeysAreTriedOnceEach() async {
        let expired = ScriptedServer.Step.jsonError("ExpiredTokenException")
        let bench = bench([.jsonError("RequestExpired", headers: [Self.hourLater]), expired, expired])
        let error = await failure { () async throws(AWSError) in try await put(bench) }
        #expect(error?.exitCode == .permission)
        #expect(bench.server.requests.count == 3)
    }

    @Test func callThatAsksForAFreshConnectionGetsItOnce() async throws {
        let bench = bench([
            .jsonError("RequestExpired", headers: [Self.hourLater]), .json(putAnswer(1)), .json(putAnswer(1)),
        ])
        _ = try await put(bench, freshConnection: true)
        _ = try await put(bench)
        #expect(bench.server.requests.map(\.wantsFreshConnection) == [true, false, false])
    }
}
