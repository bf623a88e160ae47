import AWS
import Diagnostics
import HTTP
import Testing

private let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
private let hello = HTTPBody.bytes(Array("hello".utf8))

struct S3ObjectTests {
    private func put(
        _ bench: Bench, condition: PutCondition = .ifAbsent, attributes: ObjectAttributes = .none, owner: String? = nil
    ) async throws(AWSError) -> PutOutcome {
        try await bench.s3(owner: owner).putObject(
            key: "dt=1/k.gz", body: hello, sha256: digest, contentType: "application/gzip",
            metadata: [("sluice-rows", "5")], condition: condition, attributes: attributes)
    }

    @Test func putSendsHashConditionMetadataAndAttributesSigned() async throws {
        let bench = Bench([.status(200, headers: [HTTPHeader("ETag", "\"e\"")])], service: "s3")
        let attributes = ObjectAttributes(
            storageClass: "STANDARD_IA", sse: "aws:kms", kmsKeyID: "key-1", tags: [("a b", "c&d"), ("e", "")])
        #expect(try await put(bench, attributes: attributes, owner: "123456789012") == .stored(etag: "\"e\""))
        let request = bench.server.requests[0]
        #expect(request.method == "PUT")
        #expect(request.target.url == "https://acme-logs.s3.us-east-1.amazonaws.com/dt%3D1/k.gz")
        #expect(request.body == hello)
        let expected = [
            "x-amz-content-sha256": digest, "x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            "if-none-match": "*", "x-amz-meta-sluice-rows": "5", "x-amz-storage-class": "STANDARD_IA",
            "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
            "x-amz-tagging": "a%20b=c%26d&e=", "x-amz-expected-bucket-owner": "123456789012",
            "content-type": "application/gzip",
        ]
        let signed = request.header("authorization") ?? ""
        for (name, value) in expected {
            #expect(request.header(name) == value)
            #expect(signed.contains(name))
        }
        #expect(request.header("content-encoding") == nil)
        #expect(request.header("content-md5") == nil)
    }

    @Test func conditionIsAHeader() async throws {
        let bench = Bench([.status(200), .status(200)], service: "s3")
        _ = try await put(bench, condition: .ifMatch("\"abc\""))
        _ = try await put(bench, condition: .none)
        #expect(bench.server.requests[0].header("if-match") == "\"abc\"")
        #expect(bench.server.requests[1].header("if-match") == nil)
        #expect(bench.server.requests[1].header("if-none-match") == nil)
    }

    @Test func checksumHeaderIsForAWSOnly() async throws {
        let bench = Bench([.status(200)], service: "s3", host: "127.0.0.1", scheme: "http", port: 9, isCustom: true)
        _ = try await put(bench)
        #expect(bench.server.requests[0].header("x-amz-checksum-sha256") == nil)
        #expect(bench.server.requests[0].header("x-amz-content-sha256") == digest)
        #expect(bench.server.requests[0].target.url == "http://127.0.0.1:9/acme-logs/dt%3D1/k.gz")
    }

    @Test(arguments: [
        ScriptedServer.Step.status(412), .s3Error("PreconditionFailed", status: 412),
        .s3Error("PreconditionFailed", status: 200),
    ])
    func conditionThatDoesNotHoldIsAnOutcome(step: ScriptedServer.Step) async throws {
        let bench = Bench([step], service: "s3")
        #expect(try await put(bench) == .preconditionFailed)
        #expect(bench.server.requests.count == 1)
    }

    @Test func lostAnswerShowsAsPreconditionFailedOnTheRetry() async throws {
        let bench = Bench([.fail(.receive), .s3Error("PreconditionFailed", status: 412)], service: "s3")
        #expect(try await put(bench) == .preconditionFailed)
        #expect(bench.server.requests[1].wantsFreshConnection)
    }

    @Test(arguments: [
        ScriptedServer.Step.s3Error("InternalError", status: 200), .s3Error("SlowDown", status: 503),
        .s3Error("SlowDown", status: 200), .s3Error("ConditionalRequestConflict", status: 409),
        .s3Error("RequestTimeout", status: 400), .s3Error("InternalError", status: 500),
        .s3Error("WhoKnows", status: 200),
    ])
    func errorsThatPassAreTriedAgain(step: ScriptedServer.Step) async throws {
        let bench = Bench([step, step, .status(200)], service: "s3")
        #expect(try await put(bench) == .stored(etag: nil))
    }

    @Test(arguments: ["BadDigest", "XAmzContentSHA256Mismatch"]) func damagedBodyIsSentOnceMore(code: String)
        async throws
    {
        let bench = Bench([.s3Error(code, status: 400), .status(200)], service: "s3")
        #expect(try await put(bench) == .stored(etag: nil))
        let stuck = Bench([.s3Error(code, status: 400), .s3Error(code, status: 400)], service: "s3")
        let error = await failure { () async throws(AWSError) in try await put(stuck) }
        #expect(error?.code == code)
        #expect(stuck.server.stepsLeft == 0)
    }

    @Test(arguments: [
        ("AccessDenied", 403, ExitCode.permission), ("NoSuchBucket", 404, .stateOrIdentity),
        ("InvalidAccessKeyId", 403, .permission), ("NotImplemented", 501, .internalFault),
        ("EntityTooLarge", 400, .internalFault), ("KMS.NotFoundException", 400, .permission),
    ])
    func refusalsAreNotTriedAgain(code: String, status: Int, exit: ExitCode) async {
        let bench = Bench([.s3Error(code, status: status)], service: "s3")
        let error = await failure { () async throws(AWSError) in try await put(bench) }
        #expect(error?.exitCode == exit)
        #expect(error?.subject == "s3://acme-logs/dt=1/k.gz")
        #expect(error?.hint != nil)
        #expect(bench.server.requests.count == 1)
    }

    @Test(arguments: [(0, false), (1, true), (1_024, true), (1_025, false)])
    func keyHasOneTo1024Bytes(bytes: Int, fits: Bool) async {
        let bench = Bench([.status(200)], service: "s3")
        let key = String(repeating: "k", count: bytes)
        let error = await failure { () async throws(AWSError) in
            try await bench.s3().putObject(key: key, body: hello, sha256: digest, contentType: "x/y")
        }
        #expect((error == nil) == fits)
        #expect(bench.server.requests.count == (fits ? 1 : 0))
    }

    @Test(arguments: ["ü", "a\nb", "a\u{0}"]) func metadataMustBePrintable(value: String) async {
        let bench = Bench([.status(200)], service: "s3")
        let error = await failure { () async throws(AWSError) in
            try await bench.s3().putObject(
                key: "k", body: hello, sha256: digest, contentType: "x/y", metadata: [("m", value)])
        }
        #expect(error?.code == "InvalidMetadata")
        #expect(bench.server.requests.isEmpty)
    }

    @Test func headGivesLengthAndMetadataOrNil() async throws {
        let bench = Bench(
            [
                .status(
                    200,
                    headers: [
                        HTTPHeader("Content-Length", "12"), HTTPHeader("ETag", "\"e\""),
                        HTTPHeader("X-Amz-Meta-Sluice-SHA256", "ab"), HTTPHeader("x-amz-meta-a", "1"),
                    ]), .status(404),
            ], service: "s3")
        let head = try await bench.s3().headObject(key: "k")
        #expect(head == ObjectHead(length: 12, etag: "\"e\"", metadata: ["sluice-sha256": "ab", "a": "1"]))
        #expect(try await bench.s3().headObject(key: "k") == nil)
    }

    @Test func headWithoutPermissionIsAnErrorThatSaysWhatToAllow() async {
        let bench = Bench([.status(403)], service: "s3")
        let error = await failure { () async throws(AWSError) in try await bench.s3().headObject(key: "k") }
        #expect(error?.exitCode == .permission)
        #expect(error?.code == "Forbidden")
        #expect(error?.hint?.contains("s3:GetObject") == true)
    }

    @Test func getGivesTheObjectOrNilAndNeverAPart() async throws {
        let length = [HTTPHeader("Content-Length", "5")]
        let bench = Bench(
            [
                .status(200, headers: length, body: "hello"), .s3Error("NoSuchKey", status: 404),
                .status(200, headers: length, body: "hel"), .status(200, headers: length, body: "hello"),
                .status(200, body: "<Error><Code>AccessDenied</Code></Error>"), .status(200, body: "hello"),
            ], service: "s3")
        let s3 = bench.s3()
        #expect(try await s3.getObject(key: "k", bytesMax: 5)?.bytes == Array("hello".utf8))
        #expect(try await s3.getObject(key: "k", bytesMax: 5) == nil)
        #expect(try await s3.getObject(key: "k", bytesMax: 5)?.bytes == Array("hello".utf8))
        // The object's own text may look like an error.
        #expect(try await s3.getObject(key: "k", bytesMax: 100)?.bytes.count == 40)
        let error = await failure { () async throws(AWSError) in try await s3.getObject(key: "k", bytesMax: 4) }
        #expect(error?.code == "TooLarge")
        #expect(bench.server.stepsLeft == 0)
    }
}
