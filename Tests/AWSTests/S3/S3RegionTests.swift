import AWS
import HTTP
import Testing

private let inEurope = HTTPHeader("x-amz-bucket-region", "eu-west-1")

struct S3RegionTests {
    @Test(arguments: [
        ScriptedServer.Step.status(301, headers: [inEurope]), .status(307, headers: [inEurope]),
        .status(400, headers: [inEurope]), .s3Error("PermanentRedirect", status: 301, headers: [inEurope]),
        .s3Error("TemporaryRedirect", status: 307, headers: [inEurope]),
        .s3Error("AuthorizationHeaderMalformed", status: 400, extra: "<Region>eu-west-1</Region>"),
        .s3Error("IllegalLocationConstraintException", status: 400, headers: [inEurope]),
    ])
    func wrongRegionIsFollowedOnceSignedAnewAndRemembered(step: ScriptedServer.Step) async throws {
        let good = ScriptedServer.Step.status(200, headers: [HTTPHeader("Content-Length", "1")])
        let bench = Bench([step, good, good], service: "s3")
        let s3 = bench.s3()
        #expect(try await s3.headObject(key: "k") != nil)
        #expect(try await s3.counting(into: RetryCounter()).headObject(key: "k") != nil)
        let requests = bench.server.requests
        #expect(
            requests.map(\.target.host) == [
                "acme-logs.s3.us-east-1.amazonaws.com", "acme-logs.s3.eu-west-1.amazonaws.com",
                "acme-logs.s3.eu-west-1.amazonaws.com",
            ])
        #expect(requests[1].header("authorization")?.contains("/eu-west-1/s3/aws4_request") == true)
        #expect(bench.log.lines.filter { $0.contains("destination.region") }.count == 1)
    }

    @Test func regionThatNoAnswerNamesIsAskedOfTheBucket() async throws {
        let bench = Bench(
            [
                .s3Error("PermanentRedirect", status: 301), .status(403, headers: [inEurope]), .status(200),
            ], service: "s3")
        let outcome = try await bench.s3().putObject(
            key: "k", body: .bytes([]), sha256: SigV4.emptyPayloadHash, contentType: "x/y")
        #expect(outcome == .stored(etag: nil))
        #expect(bench.server.requests.map(\.method) == ["PUT", "HEAD", "PUT"])
        #expect(bench.server.requests.map(\.target.path) == ["/k", "/", "/k"])
    }

    @Test func redirectIsFollowedAtMostOnce() async {
        let bench = Bench(
            [
                .status(301, headers: [inEurope]),
                .status(301, headers: [HTTPHeader("x-amz-bucket-region", "us-west-2")]),
            ], service: "s3")
        let error = await failure { () async throws(AWSError) in try await bench.s3().headObject(key: "k") }
        #expect(error?.code == "PermanentRedirect")
        #expect(error?.hint?.contains("destination.region") == true)
        #expect(bench.server.stepsLeft == 0)
    }

    @Test(arguments: ["us-east-1", "evil.example/", "", "EU", "a@b"])
    func regionThatIsNoneOrTheSameIsNotFollowed(region: String) async {
        let bench = Bench([.status(301, headers: [HTTPHeader("x-amz-bucket-region", region)])], service: "s3")
        let error = await failure { () async throws(AWSError) in try await bench.s3().headObject(key: "k") }
        #expect(error?.status == 301)
        #expect(bench.server.requests.count == 1)
    }

    @Test func configuredEndpointKeepsItsHostAndSignsForTheNewRegion() async throws {
        let bench = Bench(
            [
                .s3Error("AuthorizationHeaderMalformed", status: 400, extra: "<Region>garage</Region>"), .status(200),
            ], service: "s3", host: "127.0.0.1", scheme: "http", isCustom: true)
        _ = try await bench.s3().putObject(
            key: "k", body: .bytes([]), sha256: SigV4.emptyPayloadHash, contentType: "x/y")
        #expect(bench.server.requests.map(\.target.host) == ["127.0.0.1", "127.0.0.1"])
        #expect(bench.server.requests[1].header("authorization")?.contains("/garage/s3/") == true)
    }

    @Test func accessDeniedIsNoRedirect() async {
        let bench = Bench([.s3Error("AccessDenied", status: 403, headers: [inEurope])], service: "s3")
        let error = await failure { () async throws(AWSError) in try await bench.s3().headBucket() }
        #expect(error?.code == "AccessDenied")
        #expect(bench.server.requests.count == 1)
    }

    @Test func headBucketTellsRegionOrWhatIsMissing() async throws {
        let bench = Bench(
            [.status(200, headers: [HTTPHeader("x-amz-bucket-region", "us-east-1")]), .status(404)], service: "s3")
        #expect(try await bench.s3().headBucket() == "us-east-1")
        let error = await failure { () async throws(AWSError) in try await bench.s3().headBucket() }
        #expect(error?.code == "NoSuchBucket")
        #expect(error?.hint?.contains("acme-logs") == true)
    }
}
