import AWS
import CivilTime
import Diagnostics
import HTTP
import Testing

private let summary = """
    {"StreamDescriptionSummary":{"StreamName":"s","StreamARN":"arn:aws:kinesis:us-east-1:1:stream/s",\
    "StreamStatus":"ACTIVE","StreamCreationTimestamp":1.7E9,"RetentionPeriodHours":24,"OpenShardCount":2}}
    """

/// IMF-fixdate of 2023-11-14T22:13:20Z, where the hand clock starts, and of an hour later.
private let sameDate = HTTPHeader("Date", "Tue, 14 Nov 2023 22:13:20 GMT")
private let hourLater = HTTPHeader("Date", "Tue, 14 Nov 2023 23:13:20 GMT")

struct AWSClientRetryTests {
    /// What is tried again by the standard mode, with the first delay and the token cost.
    @Test(arguments: [
        (ScriptedServer.Step.status(500), 50, 14), (.status(502), 50, 14), (.status(503), 50, 14),
        (.status(504), 50, 14), (.status(429), 1_000, 5), (.jsonError("InternalFailure", status: 500), 50, 14),
        (.jsonError("RequestTimeout"), 50, 14), (.jsonError("ThrottlingException"), 1_000, 5),
        (.jsonError("ProvisionedThroughputExceededException"), 1_000, 5),
        (.jsonError("LimitExceededException"), 1_000, 5), (.jsonError("KMSThrottlingException"), 1_000, 5),
        (.jsonError("SlowDown", status: 503), 1_000, 5), (.fail(.connect), 50, 14), (.fail(.resolve), 50, 14),
        (.fail(.timeout), 50, 14), (.fail(.receive), 50, 14), (.fail(.send), 50, 14), (.fail(.proxy), 50, 14),
        (.json("{\"StreamDescriptionSummary\""), 50, 14), (.json(""), 50, 14), (.json("<html>"), 50, 14),
    ])
    func transientFailuresAreTriedAgain(step: ScriptedServer.Step, delay: Int, cost: Int) async throws {
        let bench = Bench([step, step, .json(summary)])
        #expect(try await bench.kinesis.describeStreamSummary(stream: "s").name == "s")
        #expect(bench.clock.slept == [.milliseconds(delay), .milliseconds(delay * 2)])
        #expect(bench.counter.counts.requests == 3)
        #expect(bench.counter.counts.retries == 2)
        #expect(bench.counter.counts.throttled == (cost == 5 ? 2 : 0))
        #expect(bench.log.lines.count == 2)

        let failing = Bench([step, step, step])
        let error = await failure { () async throws(AWSError) in
            try await failing.kinesis.describeStreamSummary(stream: "s")
        }
        #expect(error?.isTransient == true)
        #expect(error?.exitCode == .temporary)
        #expect(failing.server.requests.count == 3)
    }

    @Test(arguments: [
        (ScriptedServer.Step.jsonError("ResourceNotFoundException"), ExitCode.stateOrIdentity),
        (.jsonError("AccessDeniedException"), .permission), (.jsonError("KMSAccessDeniedException"), .permission),
        (.jsonError("KMSDisabledException"), .permission), (.jsonError("KMSInvalidStateException"), .permission),
        (.jsonError("KMSNotFoundException"), .permission), (.jsonError("KMSOptInRequired"), .permission),
        (.jsonError("UnrecognizedClientException"), .permission), (.status(403), .permission),
        (.jsonError("InvalidSignatureException"), .permission),
        (.jsonError("InvalidArgumentException"), .internalFault),
        (.jsonError("ExpiredIteratorException"), .temporary), (.status(501), .internalFault),
        (.fail(.tls), .temporary), (.fail(.refusedScheme), .usage), (.status(301), .internalFault),
    ])
    func lastingFailuresAreNotTriedAgain(step: ScriptedServer.Step, exit: ExitCode) async {
        let bench = Bench([step])
        let error = await failure { () async throws(AWSError) in
            try await bench.kinesis.describeStreamSummary(stream: "s")
        }
        #expect(error?.exitCode == exit)
        #expect(error?.isTransient == false)
        #expect(bench.server.requests.count == 1)
        #expect(bench.clock.slept.isEmpty)
        #expect(error?.subject == "s")
    }

    @Test func serverHintIsObeyed() async throws {
        let hint = [HTTPHeader("X-Amz-Retry-After", "1500")]
        let bench = Bench([.status(503, headers: hint), .json(summary)])
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        #expect(bench.clock.slept == [.milliseconds(1_500)])
        #expect(
            bench.log.lines == ["describe stream s: 503 ServiceUnavailable; trying again in 1500 ms (try 2 of 3)"])
    }

    @Test func quotaStopsRetriesAndSuccessRefillsIt() async throws {
        let settings = RetrySettings(attemptsMax: 3, quota: 28)
        let bench = Bench(
            [
                .status(500), .status(500), .status(500),  // takes both portions
                .status(500),  // no portion left: one try only
                .json(summary),  // gives one token back: not enough for a retry
                .status(500),
            ], retry: settings)
        for requests in [3, 4] {
            let error = await failure { () async throws(AWSError) in
                try await bench.kinesis.describeStreamSummary(stream: "s")
            }
            #expect(error?.status == 500)
            #expect(bench.server.requests.count == requests)
        }
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        let error = await failure { () async throws(AWSError) in
            try await bench.kinesis.describeStreamSummary(stream: "s")
        }
        #expect(error != nil)
        #expect(bench.server.stepsLeft == 0)

        // A retry that succeeds gives its portion back, so this goes on for ever.
        let steps = (0..<10).flatMap { _ in [ScriptedServer.Step.status(500), .json(summary)] }
        let lucky = Bench(steps, retry: RetrySettings(quota: 14))
        for _ in 0..<10 { _ = try await lucky.kinesis.describeStreamSummary(stream: "s") }
    }

    @Test func retryAfterServerFaultUsesAFreshConnection() async throws {
        let bench = Bench([.status(500), .jsonError("ThrottlingException"), .json(summary)])
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        #expect(bench.server.requests.map(\.wantsFreshConnection) == [false, true, false])
    }

    @Test func everyTryIsSignedAnewWithItsOwnDate() async throws {
        let bench = Bench([.jsonError("ThrottlingException"), .json(summary)], hasToken: true)
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        let dates = bench.server.requests.map { $0.header("x-amz-date") }
        #expect(dates == ["20231114T221320Z", "20231114T221321Z"])
        let authorizations = bench.server.requests.map { $0.header("authorization") ?? "" }
        #expect(authorizations[0] != authorizations[1])
        #expect(
            authorizations.allSatisfy {
                $0.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,")
            })
    }

    @Test(arguments: ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "InvalidSignatureException"])
    func wrongClockIsCorrectedOnceFromTheServersDate(code: String) async throws {
        let bench = Bench([
            .jsonError(code, headers: [hourLater]), .json(summary), .json(summary),
        ])
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        let dates = bench.server.requests.map { $0.header("x-amz-date") }
        #expect(dates == ["20231114T221320Z", "20231114T231320Z", "20231114T231320Z"])
        #expect(bench.clock.slept.isEmpty)
        #expect(bench.log.lines.count == 1)
        #expect(bench.log.lines.first?.contains("differ by 3600 s:") == true)
    }

    @Test func clockIsCorrectedAtMostOnceACall() async {
        let bench = Bench([
            .jsonError("RequestTimeTooSkewed", headers: [hourLater]),
            .jsonError("RequestTimeTooSkewed", headers: [sameDate]),
        ])
        let error = await failure { () async throws(AWSError) in
            try await bench.kinesis.describeStreamSummary(stream: "s")
        }
        #expect(error?.code == "RequestTimeTooSkewed")
        #expect(error?.exitCode == .permission)
        #expect(error?.hint?.contains("clock") == true)
    }

    @Test(arguments: [
        ScriptedServer.Step.jsonError("InvalidSignatureException", headers: [sameDate]),
        .jsonError("SignatureDoesNotMatch", headers: [HTTPHeader("Date", "Tue, 14 Nov 2023 22:17:19 GMT")]),
        .jsonError("RequestTimeTooSkewed"),
        .jsonError("AccessDeniedException", headers: [hourLater]),
    ])
    func refusedSignatureWithARightClockIsNotTriedAgain(step: ScriptedServer.Step) async {
        let bench = Bench([step])
        let error = await failure { () async throws(AWSError) in
            try await bench.kinesis.describeStreamSummary(stream: "s")
        }
        #expect(error?.exitCode == .permission)
        #expect(bench.server.requests.count == 1)
    }

    @Test func fourMinutesApartAreEnoughToSuspectTheClock() async throws {
        let late = HTTPHeader("Date", "Tue, 14 Nov 2023 22:09:20 GMT")
        let bench = Bench([.jsonError("SignatureDoesNotMatch", status: 403, headers: [late]), .json(summary)])
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        #expect(bench.server.requests.last?.header("x-amz-date") == "20231114T220920Z")
    }

    @Test(arguments: ["ExpiredTokenException", "ExpiredToken"])
    func expiredTokenFetchesNewKeysOnce(code: String) async throws {
        let bench = Bench([.jsonError(code), .json(summary)], hasToken: true)
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        #expect(bench.keys.current == 2)
        #expect(bench.server.requests.map { $0.header("x-amz-security-token") } == ["token-1", "token-2"])

        let stuck = Bench([.jsonError(code), .jsonError(code)], hasToken: true)
        let error = await failure { () async throws(AWSError) in
            try await stuck.kinesis.describeStreamSummary(stream: "s")
        }
        #expect(error?.exitCode == .permission)
        #expect(stuck.server.requests.count == 2)
        #expect(stuck.keys.current == 2)
    }

    @Test func bareBadRequestToAHeadMeansAnExpiredToken() async throws {
        let bench = Bench(
            [.status(400), .status(200, headers: [HTTPHeader("Content-Length", "5")])], service: "s3", hasToken: true)
        #expect(try await bench.s3().headObject(key: "k")?.length == 5)
        #expect(bench.keys.current == 2)
    }

    @Test func bareForbiddenToAHeadMayMeanTheClock() async throws {
        let good = ScriptedServer.Step.status(200, headers: [HTTPHeader("Content-Length", "5")])
        let bench = Bench([.status(403, headers: [hourLater]), good], service: "s3")
        #expect(try await bench.s3().headObject(key: "k")?.length == 5)
        #expect(bench.server.requests.last?.header("x-amz-date") == "20231114T231320Z")
    }

    @Test func lostAnswerSendsTheSameBodyAgain() async throws {
        let bench = Bench([.fail(.receive), .json(#"{"Records":[{"ShardId":"s","SequenceNumber":"1"}]}"#)])
        var batch = PutRecordsBatch()
        batch.append(data: [1, 2], partitionKey: "k")
        let answer = try await bench.kinesis.putRecords(stream: "s", batch: batch)
        #expect(answer == PutRecordsAnswer(storedCount: 1, storedByShard: ["s": 1]))
        #expect(bench.server.requests[0].body == bench.server.requests[1].body)
        #expect(bench.server.requests[1].wantsFreshConnection)
    }

    @Test func cancelledTaskSendsNothingAndCancelsWaits() async {
        let bench = Bench([.status(500), .status(500)])
        let task = Task { () -> AWSError? in
            await failure { () async throws(AWSError) in
                withUnsafeCurrentTask { $0?.cancel() }
                return try await bench.kinesis.describeStreamSummary(stream: "s")
            }
        }
        #expect(await task.value?.isCancellation == true)
        #expect(bench.server.requests.isEmpty)

        let waiting = Bench([.run { withUnsafeCurrentTask { $0?.cancel() } }, .status(500), .status(500)])
        let second = Task { () -> AWSError? in
            await failure { () async throws(AWSError) in try await waiting.kinesis.describeStreamSummary(stream: "s") }
        }
        let error = await second.value
        #expect(error?.isCancellation == true)
        #expect(error?.isTransient == false)
        #expect(waiting.server.requests.count == 1)
    }

    @Test func cancelledTransferIsACancellation() async {
        let bench = Bench([.fail(.cancelled)])
        let error = await failure { () async throws(AWSError) in
            try await bench.kinesis.describeStreamSummary(stream: "s")
        }
        #expect(error?.isCancellation == true)
    }

    @Test func countersAreKeptApartAndTokensShared() async throws {
        let bench = Bench([.status(500), .json(summary), .json(summary)])
        let counter = RetryCounter()
        _ = try await bench.kinesis.counting(into: counter).describeStreamSummary(stream: "s")
        _ = try await bench.kinesis.describeStreamSummary(stream: "s")
        #expect(counter.counts.retries == 1)
        #expect(counter.counts.requests == 2)
        #expect(bench.counter.counts.requests == 1)
        #expect(bench.counter.counts.retries == 0)
    }
}
