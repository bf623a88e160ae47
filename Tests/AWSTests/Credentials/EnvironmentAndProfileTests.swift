import AWS
import CivilTime
import Testing

struct EnvironmentAndProfileTests {
    private static let env = ["AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "PLANTED-env"]

    @Test func keysOfTheEnvironmentAreUsed() async throws {
        let found = try await FakeMachine(Self.env).credentials()
        #expect(found.accessKeyID == "AKIDENV")
        #expect(found.secretAccessKey.revealed == "PLANTED-env")
        #expect(found.sessionToken == nil && found.expiration == nil && found.source == "environment")
    }

    @Test(arguments: [
        (["AWS_SESSION_TOKEN": "new", "AWS_SECURITY_TOKEN": "old"], "new"), (["AWS_SECURITY_TOKEN": "old"], "old"),
        (["AWS_SESSION_TOKEN": ""], nil),
    ])
    func theSessionTokenMayHaveItsOldName(_ more: [String: String], _ token: String?) async throws {
        let found = try await FakeMachine(Self.env.merging(more) { $1 }).credentials()
        #expect(found.sessionToken?.revealed == token)
    }

    @Test func anExpirationInTheEnvironmentCounts() async throws {
        let machine = FakeMachine(
            Self.env.merging(["AWS_CREDENTIAL_EXPIRATION": "2026-01-31T12:05:00Z"]) { $1 })
        let chain = try machine.chain()
        // Five minutes are left, and nothing better can be had.
        #expect(try await chain.credentials().expiration == Timestamp(seconds: noon.seconds + 300))
        #expect(try await chain.credentials().accessKeyID == "AKIDENV")
        machine.turnClock(by: .seconds(300))
        await #expect(throws: CredentialsError.self) { try await chain.credentials() }
    }

    @Test func keysOfAProfileAreUsed() async throws {
        let machine = FakeMachine(
            ["AWS_PROFILE": "web"],
            credentials: """
                [web]
                aws_access_key_id = AKIDWEB
                aws_secret_access_key = PLANTED/+=
                aws_session_token = PLANTEDtoken==
                """)
        let found = try await machine.credentials()
        #expect(found.accessKeyID == "AKIDWEB" && found.source == "profile web")
        #expect(found.secretAccessKey.revealed == "PLANTED/+=")
        #expect(found.sessionToken?.revealed == "PLANTEDtoken==")
    }

    static let refusals: [Refusal] = [
        Refusal(
            name: "id without secret", machine: { FakeMachine(["AWS_ACCESS_KEY_ID": "A"]) }, source: "environment",
            says: "AWS_SECRET_ACCESS_KEY is not"),
        Refusal(
            name: "secret without id", machine: { FakeMachine(["AWS_SECRET_ACCESS_KEY": plant]) },
            source: "environment", says: "AWS_ACCESS_KEY_ID is not"),
        Refusal(
            name: "empty id", machine: { FakeMachine(["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": plant]) },
            source: "environment", says: "AWS_ACCESS_KEY_ID is not"),
        Refusal(
            name: "odd expiration",
            machine: { FakeMachine(env.merging(["AWS_CREDENTIAL_EXPIRATION": "tomorrow"]) { $1 }) },
            source: "environment", says: "AWS_CREDENTIAL_EXPIRATION"),
        Refusal(
            name: "past expiration",
            machine: { FakeMachine(env.merging(["AWS_CREDENTIAL_EXPIRATION": "2026-01-31T12:00:00Z"]) { $1 }) },
            source: "environment", says: "expired"),
        Refusal(
            name: "line break in a key",
            machine: { FakeMachine(["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "PLANTED\n"]) },
            source: "environment", says: "line break"),
        Refusal(
            name: "profile with id only",
            machine: { FakeMachine(credentials: "[default]\naws_access_key_id = A") }, source: "profile default",
            says: "/home/op/.aws/credentials:2 has aws_access_key_id but no aws_secret_access_key"),
        Refusal(
            name: "profile with secret only",
            machine: { FakeMachine(config: "[default]\naws_secret_access_key = PLANTED") },
            source: "profile default", says: "/home/op/.aws/config:2 has aws_secret_access_key"),
        Refusal(
            name: "keys split over both files",
            machine: {
                FakeMachine(
                    config: "[default]\naws_secret_access_key = PLANTED",
                    credentials: "[default]\naws_access_key_id = A")
            }, source: "profile default", says: "no aws_secret_access_key"),
        Refusal(
            name: "login session", machine: { FakeMachine(config: "[default]\nlogin_session = arn:x") },
            source: "profile default", says: "not supported"),
        Refusal(
            name: "nothing at all", machine: { FakeMachine() }, source: "",
            says: "tried: AWS_ACCESS_KEY_ID is not set; profile default has no role_arn"),
    ]

    @Test(arguments: refusals) func badKeysAreErrors(_ refusal: Refusal) async throws {
        try await expectRefusal(refusal)
    }
}
