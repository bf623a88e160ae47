import AWS
import CivilTime
import HTTP
import Testing

struct RoleTests {
    private static let arn = "arn:aws:iam::123456789012:role/reader"
    private static let base = "\n[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = PLANTED-base\n"

    private static func xml(_ id: String = "ASIAROLE", expiration: String = "2026-01-31T13:00:00Z") -> HTTPResponse {
        answer(
            200,
            """
            <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <AssumeRoleResult><AssumedRoleUser><Arn>arn:x</Arn></AssumedRoleUser><Credentials>
                <AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>PLANTED/&amp;key</SecretAccessKey>
                <SessionToken>PLANTED-token==</SessionToken><Expiration>\(expiration)</Expiration>
              </Credentials></AssumeRoleResult>
            </AssumeRoleResponse>
            """)
    }

    private static func xmlError(_ status: Int, _ code: String, _ message: String = "", date: String? = nil)
        -> HTTPResponse
    {
        answer(
            status,
            "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>",
            date: date)
    }

    private static func machine(
        _ config: String, credentials: String = base, _ variables: [String: String] = [:],
        files: [String: String] = [:], replies: [HTTPResponse] = [xml()]
    ) -> FakeMachine {
        let script = Script(replies)
        return FakeMachine(variables, config: config, credentials: credentials, files: files) { _ in script.next() }
    }

    @Test func aRoleIsAssumedWithTheKeysOfItsSource() async throws {
        let machine = Self.machine(
            """
            [default]
            role_arn = \(Self.arn)
            source_profile = base
            external_id = ext/1
            duration_seconds = 3600
            role_session_name = nightly
            region = eu-west-1
            """)
        let found = try await machine.credentials()
        #expect(found.accessKeyID == "ASIAROLE" && found.source == "profile default")
        #expect(found.secretAccessKey.revealed == "PLANTED/&key")
        #expect(found.sessionToken?.revealed == "PLANTED-token==")
        #expect(found.expiration == Timestamp(seconds: noon.seconds + 3_600))
        let request = try #require(machine.requests.first)
        #expect(request.target.url == "https://sts.eu-west-1.amazonaws.com/")
        #expect(
            request.text
                == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader"
                + "&RoleSessionName=nightly&ExternalId=ext%2F1&DurationSeconds=3600")
        let authorization = try #require(request.sent("Authorization"))
        #expect(authorization.contains("Credential=AKIDBASE/20260131/eu-west-1/sts/aws4_request"))
        #expect(authorization.contains("SignedHeaders=accept;content-type;host;x-amz-date,"))
    }

    @Test func theSessionNameIsMadeFromTheTimeAndTheRegionFromTheJob() async throws {
        let machine = Self.machine("[default]\nrole_arn = \(Self.arn)\nsource_profile = base")
        _ = try await machine.chain(region: "ap-south-1").credentials()
        let request = try #require(machine.requests.first)
        #expect(request.target.host == "sts.ap-south-1.amazonaws.com")
        #expect(request.text.contains("RoleSessionName=sluice-\(noon.seconds)"))
    }

    @Test func rolesChainAndEachSignsForTheNext() async throws {
        let machine = Self.machine(
            """
            [default]
            role_arn = \(Self.arn)
            source_profile = middle
            [profile middle]
            role_arn = arn:aws:iam::1:role/middle
            source_profile = base
            """, replies: [Self.xml("ASIAMIDDLE"), Self.xml("ASIALAST")])
        #expect(try await machine.credentials().accessKeyID == "ASIALAST")
        #expect(machine.requests.count == 2)
        #expect(machine.requests[0].sent("Authorization")?.contains("Credential=AKIDBASE/") == true)
        #expect(machine.requests[0].text.contains("middle"))
        #expect(machine.requests[1].sent("Authorization")?.contains("Credential=ASIAMIDDLE/") == true)
        #expect(machine.requests[1].sent("X-Amz-Security-Token") == "PLANTED-token==")
    }

    @Test func aProfileMayAssumeItsRoleWithItsOwnKeys() async throws {
        let machine = Self.machine(
            "[default]\nrole_arn = \(Self.arn)\nsource_profile = default",
            credentials: Self.base.replacing("[base]", with: "[default]"))
        #expect(try await machine.credentials().accessKeyID == "ASIAROLE")
        #expect(machine.requests.count == 1)
    }

    @Test func aSourceProfileMayUseAProcess() async throws {
        let script = Script([Self.xml()])
        let machine = FakeMachine(
            config: """
                [default]
                role_arn = \(Self.arn)
                source_profile = external
                [profile external]
                credential_process = /opt/creds
                """,
            network: { _ in script.next() },
            programs: { _ in
                ProcessOutput(
                    ending: .exited(0),
                    standardOutput: Array(#"{"Version":1,"AccessKeyId":"AKIDP","SecretAccessKey":"PLANTED"}"#.utf8))
            })
        #expect(try await machine.credentials().accessKeyID == "ASIAROLE")
        #expect(machine.requests.first?.sent("Authorization")?.contains("Credential=AKIDP/") == true)
    }

    @Test func credentialSourcesAreKnownByTheirNames() async throws {
        let script = Script([Self.xml()])
        let container =
            #"{"AccessKeyId":"AKIDC","SecretAccessKey":"PLANTED","Token":"PLANTED","Expiration":"2026-01-31T18:00:00Z"}"#
        let cases = [("Environment", "AKIDENV"), ("EcsContainer", "AKIDC"), ("ec2InstanceMetadata", "AKIDC")]
        for (name, id) in cases {
            // With keys in the environment the chain would use those: the role is the source of another profile here.
            let machine = FakeMachine(
                [
                    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c", "AWS_PROFILE": "web",
                    name == "Environment" ? "AWS_ACCESS_KEY_ID" : "UNUSED": "AKIDENV",
                    name == "Environment" ? "AWS_SECRET_ACCESS_KEY" : "UNUSED_TOO": "PLANTED",
                ], config: "[profile web]\nrole_arn = \(Self.arn)\ncredential_source = \(name)"
            ) { request in
                if request.target.host == "169.254.170.2" { return answer(200, container) }
                if request.target.path == "/latest/api/token" { return answer(200, "PLANTED-imds") }
                if request.target.path.hasSuffix("/security-credentials/") { return answer(200, "web") }
                if request.target.path.hasSuffix("/security-credentials/web") { return answer(200, container) }
                return script.next()
            }
            let found = try await machine.credentials()
            if name == "Environment" {
                #expect(found.accessKeyID == id)
            } else {
                #expect(found.accessKeyID == "ASIAROLE")
                #expect(machine.requests.last?.sent("Authorization")?.contains("Credential=\(id)/") == true)
            }
        }
    }

    @Test func throttlingIsTriedAgainWithJitter() async throws {
        let machine = Self.machine(
            "[default]\nrole_arn = \(Self.arn)\nsource_profile = base",
            replies: [Self.xmlError(400, "Throttling", "Rate exceeded"), answer(503), Self.xml()])
        #expect(try await machine.credentials().accessKeyID == "ASIAROLE")
        #expect(machine.slept == [.milliseconds(25), .milliseconds(50)])
    }

    @Test func aWrongClockIsPutRightForTheSignatureAndTheExpiration() async throws {
        // The server is an hour ahead of this machine.
        let date = "Sat, 31 Jan 2026 13:00:00 GMT"
        var good = Self.xml(expiration: "2026-01-31T14:00:00Z")
        good.headers = [HTTPHeader("Date", date)]
        let machine = Self.machine(
            "[default]\nrole_arn = \(Self.arn)\nsource_profile = base",
            replies: [Self.xmlError(403, "SignatureDoesNotMatch", "Signature expired", date: date), good])
        let found = try await machine.credentials()
        #expect(machine.requests.map { $0.sent("X-Amz-Date") } == ["20260131T120000Z", "20260131T130000Z"])
        #expect(found.expiration == Timestamp(seconds: noon.seconds + 3_600))
    }

    @Test func aWebIdentityIsReadAfreshAndNotSigned() async throws {
        let machine = Self.machine(
            "",
            [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/jwt", "AWS_ROLE_ARN": Self.arn,
                "AWS_ROLE_SESSION_NAME": "pod", "AWS_REGION": "us-west-2",
            ], files: ["/var/run/jwt": "PLANTED.one\n"])
        let chain = try machine.chain()
        let first = try await chain.credentials()
        #expect(first.source == "web identity")
        machine.write("/var/run/jwt", "PLANTED.two")
        await chain.invalidate(first)
        _ = try await chain.credentials()
        #expect(machine.requests.count == 2)
        #expect(machine.requests[0].target.host == "sts.us-west-2.amazonaws.com")
        #expect(machine.requests[0].sent("Authorization") == nil)
        #expect(machine.requests[0].text.hasPrefix("Action=AssumeRoleWithWebIdentity&"))
        #expect(machine.requests[0].text.hasSuffix("RoleSessionName=pod&WebIdentityToken=PLANTED.one"))
        #expect(machine.requests[1].text.hasSuffix("WebIdentityToken=PLANTED.two"))
    }

    @Test func aWebIdentityMayStandInAProfileThatIsASource() async throws {
        let machine = Self.machine(
            """
            [default]
            role_arn = \(Self.arn)
            source_profile = pod
            [profile pod]
            role_arn = arn:aws:iam::1:role/pod
            web_identity_token_file = ~/jwt
            """, files: ["/home/op/jwt": "PLANTED.jwt"], replies: [Self.xml("ASIAPOD"), Self.xml()])
        #expect(try await machine.credentials().accessKeyID == "ASIAROLE")
        #expect(machine.requests[0].text.contains("WebIdentityToken=PLANTED.jwt"))
        #expect(machine.requests[1].sent("Authorization")?.contains("ASIAPOD") == true)
    }

    // MARK: Refusals

    private static func role(_ more: String, replies: [HTTPResponse] = [xml()]) -> @Sendable () -> FakeMachine {
        { machine("[default]\nrole_arn = \(arn)\n\(more)", replies: replies) }
    }

    private static func chainOfRoles(_ count: Int) -> String {
        (0..<count).map { i in
            "[profile p\(i)]\nrole_arn = arn:aws:iam::1:role/p\(i)\nsource_profile = \(i == count - 1 ? "base" : "p\(i + 1)")\n"
        }.joined()
    }

    @Test func aChainMayBeTenProfilesLongAndNoLonger() async throws {
        let machine = Self.machine(Self.chainOfRoles(9), ["AWS_PROFILE": "p0"])
        #expect(try await machine.credentials().accessKeyID == "ASIAROLE")
        #expect(machine.requests.count == 9)
        let tooLong = Self.machine(Self.chainOfRoles(11), ["AWS_PROFILE": "p0"])
        let error = await #expect(throws: CredentialsError.self) { try await tooLong.credentials() }
        #expect(error?.cause.contains("longer than 10") == true)
        #expect(tooLong.requests.isEmpty)
    }

    private static func refusal(
        _ name: String, _ profile: String, _ machine: @escaping @Sendable () -> FakeMachine, _ says: String,
        _ isTransient: Bool = false
    ) -> Refusal {
        Refusal(name: name, machine: machine, source: "profile \(profile)", says: says, isTransient: isTransient)
    }

    static let refusals: [Refusal] = [
        refusal("no source", "default", role(""), "neither source_profile nor credential_source"),
        refusal(
            "both sources", "default", role("source_profile = base\ncredential_source = Environment"),
            "both source_profile"
        ),
        refusal("MFA", "default", role("source_profile = base\nmfa_serial = arn:m"), "mfa_serial"),
        refusal("unknown source", "default", role("credential_source = Moon"), "Environment, Ec2InstanceMetadata"),
        refusal("source without profile", "default", role("source_profile = gone"), "gone does not exist"),
        refusal(
            "empty environment", "default", role("credential_source = Environment"), "AWS_ACCESS_KEY_ID is not set"
        ),
        refusal(
            "source without keys", "default", role("source_profile = bare\n[profile bare]\nregion = x"),
            "source_profile bare has no credentials"
        ),
        refusal("self without keys", "default", role("source_profile = default"), "loop: default → default"),
        refusal(
            "loop of three", "c",
            role(
                "source_profile = b\n[profile b]\nrole_arn = \(arn)\nsource_profile = c\n"
                    + "[profile c]\nrole_arn = \(arn)\nsource_profile = b"), "loop: default → b → c → b"
        ),
        refusal(
            "half a source", "base2",
            role("source_profile = base2\n[profile base2]\naws_secret_access_key = PLANTED"), "no aws_access_key_id"
        ),
        refusal("short duration", "default", role("source_profile = base\nduration_seconds = 899"), "900 to 43200"),
        refusal("odd duration", "default", role("source_profile = base\nduration_seconds = 1h"), "900 to 43200"),
        refusal("odd session", "default", role("source_profile = base\nrole_session_name = a b"), "session name"),
        refusal(
            "denied", "default",
            role("source_profile = base", replies: [xmlError(403, "AccessDenied", "User: arn:u is not authorized")]),
            "answered 403 AccessDenied: User: arn:u is not authorized hint: the role's trust policy"
        ),
        refusal(
            "key echoed", "default",
            role("source_profile = base", replies: [xmlError(403, "InvalidClientTokenId", "key PLANTED-base bad")]),
            "key <secret> bad"
        ),
        refusal(
            "throttled for good", "default",
            role("source_profile = base", replies: [xmlError(400, "Throttling", "Rate exceeded")]), "Throttling", true
        ),
        refusal(
            "down", "default", role("source_profile = base", replies: [answer(500, "PLANTED")]), "answered 500", true),
        refusal(
            "no XML", "default", role("source_profile = base", replies: [answer(200, "PLANTED")]), "lacks a key", true),
        refusal(
            "expired at once", "default",
            role("source_profile = base", replies: [xml(expiration: "2026-01-31T12:00:00Z")]),
            "have expired"
        ),
        refusal(
            "odd expiration", "default", role("source_profile = base", replies: [xml(expiration: "soon")]),
            "lacks a key",
            true
        ),
    ]

    private static func identity(
        _ variables: [String: String], files: [String: String] = ["/jwt": "PLANTED.jwt"],
        replies: [HTTPResponse] = [xml()]
    ) -> @Sendable () -> FakeMachine {
        {
            machine(
                "", ["AWS_WEB_IDENTITY_TOKEN_FILE": "/jwt"].merging(variables) { $1 }, files: files, replies: replies)
        }
    }

    private static func webRefusal(
        _ name: String, _ machine: @escaping @Sendable () -> FakeMachine, _ says: String, _ isTransient: Bool = false
    ) -> Refusal {
        Refusal(name: name, machine: machine, source: "web identity", says: says, isTransient: isTransient)
    }

    static let webIdentityRefusals: [Refusal] = [
        webRefusal("no role", identity([:]), "a token file is set, but no role"),
        webRefusal("role name only", identity(["AWS_ROLE_ARN": "reader"]), "the role ARN is not one"),
        webRefusal("no file", identity(["AWS_ROLE_ARN": arn], files: [:]), "token file /jwt does not exist"),
        webRefusal("empty file", identity(["AWS_ROLE_ARN": arn], files: ["/jwt": ""]), "empty"),
        webRefusal(
            "refused", identity(["AWS_ROLE_ARN": arn], replies: [xmlError(400, "InvalidIdentityToken", "No provider")]),
            "400 InvalidIdentityToken: No provider hint: check the IAM identity provider"
        ),
        webRefusal(
            "token echoed",
            identity(["AWS_ROLE_ARN": arn], replies: [xmlError(400, "ExpiredTokenException", "PLANTED.jwt is old")]),
            "<secret> is old"
        ),
        webRefusal(
            "provider slow", identity(["AWS_ROLE_ARN": arn], replies: [xmlError(400, "IDPCommunicationError")]),
            "IDPCommunicationError", true
        ),
    ]

    @Test(arguments: refusals + webIdentityRefusals) func badRolesAreErrors(_ refusal: Refusal) async throws {
        try await expectRefusal(refusal)
    }
}
