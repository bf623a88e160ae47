import AWS
import Diagnostics
import HTTP
import Testing

struct AWSErrorTests {
    private func kinesisError(_ step: ScriptedServer.Step) async -> AWSError? {
        let bench = Bench([step], retry: RetrySettings(attemptsMax: 1))
        return await failure { () async throws(AWSError) in
            try await bench.kinesis.getShardIterator(stream: "my_stream", shard: "shardId-1", position: .latest)
        }
    }

    private func s3Error(_ step: ScriptedServer.Step) async -> AWSError? {
        let bench = Bench([step], service: "s3", retry: RetrySettings(attemptsMax: 1))
        return await failure { () async throws(AWSError) in
            try await bench.s3().getObject(key: "a/b.gz", bytesMax: 10)
        }
    }

    @Test(
        arguments: [
            (#"{"__type":"com.amazonaws.kinesis#ThingException","message":"m"}"#, nil, "ThingException", "m"),
            (#"{"__type":"ThingException","Message":"M"}"#, nil, "ThingException", "M"),
            ("{}", "ThingException:http://internal.amazon.com/x/", "ThingException", ""),
            (#"{"message":"m"}"#, "ThingException", "ThingException", "m"),
            ("<html>proxy says no</html>", nil, "BadRequest", ""),
            ("", nil, "BadRequest", ""),
            (#"{"__type":"#, nil, "BadRequest", ""),
            (#"{"__type":7}"#, nil, "BadRequest", ""),
            (#"{"__type":""}"#, nil, "BadRequest", ""),
        ] as [(String, String?, String, String)])
    func jsonErrorsAreRead(body: String, type: String?, code: String, message: String) async {
        let headers = type.map { [HTTPHeader("x-amzn-ErrorType", $0)] } ?? []
        let id = HTTPHeader("x-amzn-RequestId", "id-1")
        let error = await kinesisError(.status(400, headers: headers + [id], body: body))
        #expect(error?.code == code)
        #expect(error?.message == message)
        #expect(error?.status == 400)
        #expect(error?.requestID == "id-1")
    }

    @Test(arguments: [
        ("<Error><Code>C</Code><Message>a &lt;b&gt; &amp; &#x41;</Message><RequestId>R</RequestId></Error>", "C"),
        ("\u{FEFF}<?xml version='1.0'?>\n<!-- x --><Error><Code> C </Code></Error>\n", "C"),
        ("<ErrorResponse xmlns=\"https://sts\"><Error><Type>Sender</Type><Code>C</Code></Error></ErrorResponse>", "C"),
        ("<s3:Error xmlns:s3='x'><s3:Code><![CDATA[C]]></s3:Code></s3:Error>", "C"),
        ("<Error><Code>C</Code>", "Conflict"), ("<Error/>", "Conflict"), ("<html><body>no</body></html>", "Conflict"),
        ("", "Conflict"), ("<", "Conflict"), ("<Error><Code></Error></Code>", "Conflict"),
    ])
    func xmlErrorsAreRead(body: String, code: String) async {
        let error = await s3Error(.status(409, body: body))
        #expect(error?.code == code)
    }

    @Test func deepXMLIsRefusedNotOverflowed() {
        let deep = String(repeating: "<a>", count: 10_000) + String(repeating: "</a>", count: 10_000)
        #expect(XMLElement.parse(Array(deep.utf8)) == nil)
    }

    @Test func errorNamesOperationSubjectCauseAndRemedy() async {
        let error = await kinesisError(.jsonError("AccessDeniedException"))
        let diagnostic = error?.diagnostic
        #expect(
            diagnostic?.summary == "get iterator of my_stream/shardId-1: 400 AccessDeniedException: said so")
        #expect(diagnostic?.hint?.contains("kinesis:GetShardIterator on stream my_stream in us-east-1") == true)

        let missing = await kinesisError(.jsonError("ResourceNotFoundException"))
        #expect(missing?.hint?.contains("stream my_stream in us-east-1") == true)
        #expect(missing?.exitCode == .stateOrIdentity)

        let bucket = await s3Error(.s3Error("NoSuchBucket", status: 404))
        #expect(bucket?.subject == "s3://acme-logs/a/b.gz")
        #expect(bucket?.exitCode == .stateOrIdentity)
        #expect(bucket?.hint?.contains("acme-logs") == true)
        #expect(bucket?.requestID == "R1")

        let denied = await s3Error(.s3Error("AccessDenied", status: 403))
        #expect(denied?.hint?.contains("s3:GetObject on arn:aws:s3:::acme-logs/a/b.gz") == true)

        let key = await s3Error(.s3Error("KMS.DisabledException", status: 400))
        #expect(key?.exitCode == .permission)
        #expect(key?.hint?.contains("kms:Decrypt") == true)
    }

    @Test func longOrHostileMessagesStayOneShortLine() async {
        let message = String(repeating: "x", count: 600)
        let error = await kinesisError(.status(400, body: #"{"__type":"A","message":"\#(message)"}"#))
        #expect((error?.message.utf8.count ?? 0) <= 503)
        let lines = await kinesisError(.status(400, body: #"{"__type":"A","message":"a\u001b[1m\nb"}"#))
        #expect(lines?.diagnostic.summary.contains("\n") == false)
        #expect(lines?.diagnostic.summary.contains("\u{1B}") == false)
    }

    @Test func noErrorShowsKeysOrTheSignature() async {
        for step in [ScriptedServer.Step.jsonError("AccessDeniedException"), .fail(.timeout), .status(500)] {
            let bench = Bench([step], retry: RetrySettings(attemptsMax: 1), hasToken: true)
            let error = await failure { () async throws(AWSError) in
                try await bench.kinesis.describeStreamSummary(stream: "s")
            }
            let text = error.map { "\($0) \($0.diagnostic.summary)" } ?? ""
            let signature = bench.server.requests[0].header("authorization")?.suffix(64) ?? "-"
            #expect(!text.isEmpty)
            for secret in ["secret-1", "token-1", String(signature)] { #expect(!text.contains(secret)) }
        }
    }

    @Test func keysThatCannotBeHadKeepTheirOwnExitCode() async {
        struct NoKeys: CredentialProvider {
            struct Problem: DiagnosticError {
                var diagnostic: Diagnostic {
                    Diagnostic(operation: "find credentials", subject: "profile p", cause: "none", hint: "make some")
                }
                var exitCode: ExitCode { .jobFileInvalid }
                var isTransient: Bool { false }
            }
            func credentials() async throws -> Credentials { throw Problem() }
            func invalidate(_ rejected: Credentials) async {}
        }
        let client = AWSClient(
            transport: ScriptedServer([]), credentials: NoKeys(),
            endpoint: ServiceEndpoint(host: "h", region: "r", signingName: "kinesis"), time: HandClock(),
            random: { 0 })
        let error = await failure { () async throws(AWSError) in
            try await KinesisClient(client: client).describeStreamSummary(stream: "s")
        }
        #expect(error?.exitCode == .jobFileInvalid)
        #expect(error?.hint == "make some")
        #expect(error?.message.contains("profile p") == true)
    }

    @Test func controlCharactersInAHeaderValueAreRefused() async {
        let bench = Bench([], service: "s3", retry: .standard)
        let error = await failure { () async throws(AWSError) in
            try await bench.s3().putObject(
                key: "k", body: .bytes([]), sha256: SigV4.emptyPayloadHash, contentType: "a\r\nX-Evil: 1")
        }
        #expect(error?.code == "InvalidHeader")
        #expect(bench.server.requests.isEmpty)
    }
}
