import AWS
import CivilTime
import HTTP
import Testing

struct ContainerSourceTests {
    private static let relative = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/PLANTED-id?a=1"]
    private static let keys =
        #"{"AccessKeyId":"AKIDC","SecretAccessKey":"PLANTED-s","Token":"PLANTED-t","Expiration":"2026-01-31T18:00:00Z"}"#

    @Test func aTaskRoleIsAskedForAtTheRelativeAddress() async throws {
        let machine = FakeMachine(Self.relative) { _ in answer(200, Self.keys) }
        let found = try await machine.credentials()
        #expect(found.accessKeyID == "AKIDC" && found.source == "container credentials")
        #expect(found.sessionToken?.revealed == "PLANTED-t")
        #expect(found.expiration == Timestamp(seconds: noon.seconds + 6 * 3_600))
        let request = try #require(machine.requests.first)
        #expect(request.target.url == "http://169.254.170.2/v2/credentials/PLANTED-id?a=1")
        #expect(request.bypassesProxy && request.sent("Authorization") == nil)
        #expect(request.limits.totalTimeout == .seconds(2))
    }

    @Test(arguments: [
        "http://169.254.170.2/x", "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials",
        "http://127.0.0.1:51679/c?x=1", "http://localhost/c", "http://[::1]/c", "https://anything.example/c",
    ])
    func fullAddressesOfTheAllowListAreAsked(_ url: String) async throws {
        let machine = FakeMachine(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]) { _ in answer(200, Self.keys) }
        #expect(try await machine.credentials().accessKeyID == "AKIDC")
        #expect(machine.requests.first?.target.url == url)
    }

    @Test func theTokenFileWinsAndIsReadEachTime() async throws {
        let machine = FakeMachine(
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "PLANTED-variable",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/token",
            ], files: ["/var/run/token": "PLANTED-one"]
        ) { _ in answer(200, Self.keys) }
        let chain = try machine.chain()
        let first = try await chain.credentials()
        machine.write("/var/run/token", "PLANTED-two")
        await chain.invalidate(first)
        _ = try await chain.credentials()
        #expect(machine.requests.map { $0.sent("Authorization") } == ["PLANTED-one", "PLANTED-two"])
    }

    @Test func theTokenVariableIsSentWhenThereIsNoFile() async throws {
        let machine = FakeMachine(
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/c",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic PLANTED",
            ]
        ) { _ in answer(200, Self.keys) }
        _ = try await machine.credentials()
        #expect(machine.requests.first?.sent("Authorization") == "Basic PLANTED")
    }

    @Test func aBusyEndpointIsAskedThreeTimesASecondApart() async throws {
        let script = Script([answer(500), answer(429), answer(200, Self.keys)])
        let machine = FakeMachine(Self.relative) { _ in script.next() }
        #expect(try await machine.credentials().accessKeyID == "AKIDC")
        #expect(machine.slept == [.seconds(1), .seconds(1)])
        #expect(machine.requests.map(\.wantsFreshConnection) == [false, true, true])
    }

    private static func full(_ url: String, _ more: [String: String] = [:], files: [String: String] = [:])
        -> FakeMachine
    {
        FakeMachine(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url].merging(more) { $1 }, files: files) { _ in
            answer(200, keys)
        }
    }

    private static func refusal(
        _ name: String, _ machine: @escaping @Sendable () -> FakeMachine, _ says: String, _ isTransient: Bool = false
    ) -> Refusal {
        Refusal(name: name, machine: machine, source: "container credentials", says: says, isTransient: isTransient)
    }

    static let refusals: [Refusal] = [
        refusal("other host", { full("http://evil.example/c") }, "evil.example, which may not be asked"),
        refusal("host that looks local", { full("http://127.0.0.1.evil.example/c") }, "may not be asked"),
        refusal("instance metadata", { full("http://169.254.169.254/c") }, "may not be asked"),
        refusal("user in URL", { full("http://PLANTED@localhost/c") }, "not a usable URL"),
        refusal(
            "relative that is none", { FakeMachine(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.example/"]) },
            "does not start with /"
        ),
        refusal(
            "line break in token",
            { full("http://localhost/c", ["AWS_CONTAINER_AUTHORIZATION_TOKEN": "PLANTED\r\nX: y"]) }, "line break"
        ),
        refusal(
            "line break in token file",
            {
                full(
                    "http://localhost/c", ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t"], files: ["/t": "PLANTED\n"])
            }, "line break"
        ),
        refusal(
            "no token file", { full("http://localhost/c", ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t"]) },
            "token file /t does not exist"
        ),
        refusal("nobody there", { FakeMachine(relative) }, "gave no answer: connect", true),
        refusal(
            "refused",
            {
                FakeMachine(relative) { _ in answer(403, #"{"code":"AccessDenied","message":"no role\u001b[0m"}"#) }
            }, "answered 403: AccessDenied: no role"
        ),
        refusal("down", { FakeMachine(relative) { _ in answer(503, "PLANTED") } }, "answered 503", true),
        refusal("not JSON", { FakeMachine(relative) { _ in answer(200, "<PLANTED>") } }, "not a JSON object", true),
        refusal(
            "no token",
            {
                FakeMachine(relative) { _ in
                    answer(200, #"{"AccessKeyId":"A","SecretAccessKey":"PLANTED","Expiration":"2026-01-31T18:00:00Z"}"#)
                }
            }, "no Token", true
        ),
        refusal(
            "no expiration",
            {
                FakeMachine(relative) { _ in
                    answer(200, #"{"AccessKeyId":"A","SecretAccessKey":"P","Token":"PLANTED"}"#)
                }
            }, "no Expiration", true
        ),
        refusal(
            "expired",
            { FakeMachine(relative) { _ in answer(200, keys.replacing("2026-01-31T18", with: "2026-01-31T11")) } },
            "have expired"
        ),
    ]

    @Test(arguments: refusals) func badEndpointsAreErrors(_ refusal: Refusal) async throws {
        try await expectRefusal(refusal)
    }

    @Test func theTokenIsTakenOutOfWhatTheEndpointSays() async throws {
        let machine = FakeMachine(
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/c",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "PLANTED-token",
            ]
        ) { _ in answer(400, #"{"message":"bad token PLANTED-token here"}"#) }
        let error = await #expect(throws: CredentialsError.self) { try await machine.credentials() }
        #expect(error?.cause.hasSuffix("answered 400: bad token <secret> here") == true)
    }
}
