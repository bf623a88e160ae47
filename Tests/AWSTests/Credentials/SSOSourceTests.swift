import AWS
import CivilTime
import Foundation
import HTTP
import Testing

struct SSOSourceTests {
    private static let config = """
        [default]
        sso_session = corp
        sso_account_id = 123456789012
        sso_role_name = Log Reader
        [sso-session corp]
        sso_region = eu-west-1
        sso_start_url = https://corp.awsapps.com/start
        """
    private static let legacyConfig = """
        [default]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-west-1
        sso_account_id = 123456789012
        sso_role_name = Reader
        """
    /// SHA-1 of `corp`, and of the start URL.
    private static let path = "/home/op/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
    private static let legacyPath = "/home/op/.aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json"

    private static func token(expires: String, renewable: Bool = true, registered: String = "2026-04-01T00:00:00Z")
        -> String
    {
        let renewal =
            #","clientId":"cid","clientSecret":"PLANTED-cs","refreshToken":"PLANTED-rt","registrationExpiresAt":"\#(registered)""#
        return #"{"accessToken":"PLANTED-at","expiresAt":"\#(expires)","region":"eu-west-1","odd":7"#
            + (renewable ? renewal : "") + "}"
    }

    private static let keys = answer(
        200,
        #"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"PLANTED-s","sessionToken":"PLANTED-t","expiration":1769864400000}}"#
    )
    private static let renewed = answer(
        200, #"{"accessToken":"PLANTED-at2","expiresIn":3600,"refreshToken":"PLANTED-rt2","tokenType":"Bearer"}"#)

    private static func machine(
        _ token: String?, config: String = config, sso: HTTPResponse = keys, oidc: HTTPResponse = renewed
    ) -> FakeMachine {
        let files = token.map { [path: $0, legacyPath: $0] } ?? [:]
        return FakeMachine(config: config, files: files) { request in
            request.target.host.hasPrefix("oidc.") ? oidc : sso
        }
    }

    @Test func aGoodTokenIsExchangedForKeys() async throws {
        let machine = Self.machine(Self.token(expires: "2026-01-31T20:00:00Z"))
        let found = try await machine.credentials()
        #expect(found.accessKeyID == "ASIASSO" && found.source == "SSO of profile default")
        #expect(found.expiration == Timestamp(seconds: noon.seconds + 3_600))
        let request = try #require(machine.requests.first)
        #expect(
            request.target.url == "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials"
                + "?role_name=Log%20Reader&account_id=123456789012")
        #expect(request.sent("x-amz-sso_bearer_token") == "PLANTED-at")
        #expect(request.sent("Authorization") == nil)
        #expect(machine.requests.count == 1)
    }

    @Test(arguments: ["2026-01-31T20:00:00Z", "2026-01-31T20:00:00UTC"])
    func theOlderFormNeedsNoSession(_ expires: String) async throws {
        let machine = Self.machine(Self.token(expires: expires), config: Self.legacyConfig)
        #expect(try await machine.credentials().accessKeyID == "ASIASSO")
    }

    @Test(arguments: ["2026-01-31T12:14:59Z", "2026-01-31T11:00:00Z"])
    func aTokenThatEndsSoonIsRefreshedAndWrittenBack(_ expires: String) async throws {
        let machine = Self.machine(Self.token(expires: expires))
        #expect(try await machine.credentials().accessKeyID == "ASIASSO")
        #expect(
            machine.requests.map(\.line) == [
                "POST oidc.eu-west-1.amazonaws.com/token",
                "GET portal.sso.eu-west-1.amazonaws.com/federation/credentials",
            ])
        let sent = try JSONDecoder().decode([String: String].self, from: Data(machine.requests[0].text.utf8))
        #expect(
            sent == [
                "grantType": "refresh_token", "clientId": "cid", "clientSecret": "PLANTED-cs",
                "refreshToken": "PLANTED-rt",
            ])
        #expect(machine.requests[1].sent("x-amz-sso_bearer_token") == "PLANTED-at2")
        let file = try #require(machine.text(Self.path))
        let saved = try JSONDecoder().decode([String: String].self, from: Data(file.utf8))
        #expect(saved["accessToken"] == "PLANTED-at2" && saved["refreshToken"] == "PLANTED-rt2")
        #expect(saved["expiresAt"] == "2026-01-31T13:00:00Z" && saved["clientId"] == "cid")
        #expect(saved["startUrl"] == "https://corp.awsapps.com/start")
    }

    @Test func aTokenThatLivesLongEnoughIsLeftAlone() async throws {
        let machine = Self.machine(Self.token(expires: "2026-01-31T12:15:00Z"))
        _ = try await machine.credentials()
        #expect(machine.requests.count == 1)
    }

    @Test func aFailedRefreshLeavesTheTokenThatIsStillGood() async throws {
        let machine = Self.machine(Self.token(expires: "2026-01-31T12:05:00Z"), oidc: answer(400, "PLANTED"))
        #expect(try await machine.credentials().accessKeyID == "ASIASSO")
        #expect(machine.log.count == 1 && machine.log[0].contains("answered with 400"))
        #expect(!machine.log[0].contains(plant))
    }

    @Test func aCacheThatCannotBeWrittenIsAWarning() async throws {
        let machine = Self.machine(Self.token(expires: "2026-01-31T11:00:00Z"))
        machine.makeReadOnly()
        #expect(try await machine.credentials().accessKeyID == "ASIASSO")
        #expect(machine.log == ["the refreshed SSO token could not be written to \(Self.path): Read-only file system"])
    }

    private static func changed(_ line: String, to other: String = "") -> @Sendable () -> FakeMachine {
        { machine(token(expires: "2026-01-31T20:00:00Z"), config: config.replacing(line, with: other)) }
    }

    private static func with(_ token: String?, sso: HTTPResponse = keys, oidc: HTTPResponse = renewed)
        -> @Sendable () -> FakeMachine
    {
        { machine(token, sso: sso, oidc: oidc) }
    }

    private static let good = token(expires: "2026-01-31T20:00:00Z")
    private static let login = "hint: run: aws sso login --sso-session corp"

    private static func refusal(
        _ name: String, _ machine: @escaping @Sendable () -> FakeMachine, _ says: String, _ isTransient: Bool = false
    ) -> Refusal {
        Refusal(name: name, machine: machine, source: "SSO of profile default", says: says, isTransient: isTransient)
    }

    static let refusals: [Refusal] = [
        refusal(
            "no session", changed("[sso-session corp]", to: "[sso-session other]"), "sso_session corp does not exist"
        ),
        refusal("no account", changed("sso_account_id = 123456789012"), "sso_account_id is missing"),
        refusal("no role", changed("sso_role_name = Log Reader"), "sso_role_name is missing"),
        refusal("no region", changed("sso_region = eu-west-1"), "sso_region is missing"),
        refusal(
            "two regions", changed("sso_role_name = Log Reader", to: "sso_role_name = R\nsso_region = us-east-1"),
            "its sso_region and that of its sso_session differ"
        ),
        refusal("no token", with(nil), "there is no SSO token"),
        refusal("no token, hint", with(nil), login),
        refusal("damaged token", with("PLANTED"), "is damaged"),
        refusal(
            "token with line break", with(#"{"accessToken":"PLANTED\r\nX: y","expiresAt":"2026-01-31T20:00:00Z"}"#),
            "is damaged"),
        refusal("token without expiry", with(#"{"accessToken":"PLANTED"}"#), "is damaged"),
        refusal(
            "expired, cannot be refreshed", with(token(expires: "2026-01-31T12:00:00Z", renewable: false)),
            "the SSO token has expired \(login)"
        ),
        refusal(
            "expired, registration ended",
            with(token(expires: "2026-01-31T11:00:00Z", registered: "2026-01-31T12:00:00Z")), "has expired \(login)"
        ),
        refusal(
            "expired, refresh refused", with(token(expires: "2026-01-31T11:00:00Z"), oidc: answer(400, "PLANTED")),
            "refresh was answered with 400 \(login)"
        ),
        refusal(
            "expired, refresh down", with(token(expires: "2026-01-31T11:00:00Z"), oidc: answer(500, "PLANTED")),
            "refresh was answered with 500", true
        ),
        refusal(
            "expired, refresh odd", with(token(expires: "2026-01-31T11:00:00Z"), oidc: answer(200, "{}")),
            "not usable", true
        ),
        refusal("token refused", with(good, sso: answer(401, "PLANTED")), "the SSO token was refused \(login)"),
        refusal(
            "role not assigned", with(good, sso: answer(403, #"{"message":"No access for PLANTED-at"}"#)),
            "answered 403: No access for <secret>"
        ),
        refusal("service down", with(good, sso: answer(503)), "answered 503", true),
        refusal(
            "keys odd", with(good, sso: answer(200, #"{"roleCredentials":{"accessKeyId":"PLANTED"}}"#)), "not usable",
            true
        ),
        refusal(
            "expiration out of range",
            with(
                good,
                sso: answer(
                    200,
                    #"{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"PLANTED","sessionToken":"T","expiration":9223372036854775807}}"#
                )), "not usable", true
        ),
    ]

    @Test(arguments: refusals) func badLoginsAreErrors(_ refusal: Refusal) async throws {
        try await expectRefusal(refusal)
    }
}
