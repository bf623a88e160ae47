import AWS
import CivilTime
import HTTP
import Testing

struct InstanceMetadataTests {
    private static let roles = "GET 169.254.169.254/latest/meta-data/iam/security-credentials/"
    private static let keys = #"""
        {"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"AKIDI","SecretAccessKey":"PLANTED-s","Token":"PLANTED-t",
        "Expiration":"2026-01-31T18:00:00Z","LastUpdated":"2026-01-31T11:00:00Z"}
        """#

    /// An instance with role `web`; `replies` replace what it answers to a request line.
    private static func machine(
        _ replies: [String: HTTPResponse] = [:], _ variables: [String: String] = [:], config: String? = nil
    ) -> FakeMachine {
        FakeMachine(variables, config: config) { request throws(HTTPTransportError) in
            if let reply = replies[request.line] { return reply }
            if request.method == "PUT", request.target.path.hasSuffix("/latest/api/token") {
                return answer(200, "PLANTED-imds==")
            }
            guard request.sent("X-aws-ec2-metadata-token") == "PLANTED-imds==" else { return answer(401) }
            if request.target.path.hasSuffix("/security-credentials/") { return answer(200, "web") }
            if request.target.path.hasSuffix("/security-credentials/web") { return answer(200, keys) }
            throw unreachable(request)
        }
    }

    @Test func tokenRoleAndKeysAreAskedForInOrder() async throws {
        let machine = Self.machine()
        let found = try await machine.credentials()
        #expect(found.accessKeyID == "AKIDI" && found.source == "instance metadata")
        #expect(found.expiration == Timestamp(seconds: noon.seconds + 6 * 3_600))
        #expect(
            machine.requests.map(\.line) == ["PUT 169.254.169.254/latest/api/token", Self.roles, Self.roles + "web"])
        #expect(machine.requests.first?.sent("X-aws-ec2-metadata-token-ttl-seconds") == "21600")
        for request in machine.requests {
            #expect(request.bypassesProxy && request.limits.totalTimeout == .seconds(1))
            #expect(request.target.scheme == "http")
        }
    }

    @Test(arguments: [
        (["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"], "http://[fd00:ec2::254]/latest/api/token"),
        (["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv4"], "http://169.254.169.254/latest/api/token"),
        (
            [
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338/imds/",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6",
            ], "http://127.0.0.1:1338/imds/latest/api/token"
        ),
    ])
    func theEndpointCanBeSet(_ variables: [String: String], _ url: String) async throws {
        let machine = Self.machine([:], variables)
        #expect(try await machine.credentials().accessKeyID == "AKIDI")
        #expect(machine.requests.first?.target.url == url)
    }

    @Test func patienceCanBeSetByVariableAndProfile() async throws {
        let config = "[default]\nmetadata_service_timeout = 5\nmetadata_service_num_attempts = 3"
        let machine = Self.machine(
            ["PUT 169.254.169.254/latest/api/token": answer(500)], ["AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"],
            config: config)
        await #expect(throws: CredentialsError.self) { try await machine.credentials() }
        #expect(machine.requests.count == 2)
        #expect(machine.requests.first?.limits.totalTimeout == .seconds(5))
    }

    @Test func whenDisabledNothingIsAsked() async throws {
        let machine = Self.machine([:], ["AWS_EC2_METADATA_DISABLED": "True"])
        let error = await #expect(throws: CredentialsError.self) { try await machine.credentials() }
        #expect(error?.cause.contains("AWS_EC2_METADATA_DISABLED is true") == true)
        #expect(machine.requests.isEmpty)
    }

    /// What makes the search end with nothing found: IMDSv1 is never asked.
    @Test(arguments: [
        (answer(403), "turned off or blocked"), (answer(404), "IMDSv1 is not used"),
        (answer(405), "IMDSv1 is not used"),
    ])
    func withoutVersionTwoThereAreNoCredentials(_ reply: HTTPResponse, _ says: String) async throws {
        let machine = Self.machine(["PUT 169.254.169.254/latest/api/token": reply])
        let error = await #expect(throws: CredentialsError.self) { try await machine.credentials() }
        #expect(error?.cause.contains(says) == true)
        #expect(machine.requests.count == 1)
    }

    @Test func aTimedOutTokenRequestHintsAtTheHopLimit() async throws {
        let machine = FakeMachine { request throws(HTTPTransportError) in throw unreachable(request, .timeout) }
        let error = await #expect(throws: CredentialsError.self) { try await machine.credentials() }
        #expect(error?.cause.contains("hop limit") == true)
        #expect(machine.requests.map(\.method) == ["PUT"])
    }

    private static func odd(_ variables: [String: String]) -> @Sendable () -> FakeMachine {
        { machine([:], variables) }
    }

    private static func refusal(
        _ name: String, _ machine: @escaping @Sendable () -> FakeMachine, _ says: String, _ isTransient: Bool = false
    ) -> Refusal {
        Refusal(name: name, machine: machine, source: "instance metadata", says: says, isTransient: isTransient)
    }

    static let refusals: [Refusal] = [
        refusal(
            "token refused", { machine(["PUT 169.254.169.254/latest/api/token": answer(400, "PLANTED")]) },
            "asked for a session token, it answered 400"
        ),
        refusal("token empty", { machine(["PUT 169.254.169.254/latest/api/token": answer(200)]) }, "session token"),
        refusal(
            "token with line break",
            { machine(["PUT 169.254.169.254/latest/api/token": answer(200, "PLANTED\r\nX: y")]) }, "session token"
        ),
        refusal("role list fails", { machine([roles: answer(500)]) }, "role's name, it answered 500", true),
        refusal("role name with slash", { machine([roles: answer(200, "../../PLANTED")]) }, "not one"),
        refusal("role name empty", { machine([roles: answer(200, "\n")]) }, "not one"),
        refusal("keys missing", { machine([roles + "web": answer(404)]) }, "keys of role web, it answered 404"),
        refusal("keys not JSON", { machine([roles + "web": answer(200, "PLANTED")]) }, "not a JSON object", true),
        refusal(
            "keys refused",
            {
                machine([
                    roles + "web": answer(
                        200, #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume"}"#)
                ])
            }, "AssumeRoleUnauthorizedAccess: EC2 cannot assume"
        ),
        refusal(
            "no token in keys",
            {
                machine([
                    roles + "web": answer(200, #"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"PLANTED"}"#)
                ])
            }, "no Token", true
        ),
        refusal("timeout 0", odd(["AWS_METADATA_SERVICE_TIMEOUT": "0"]), "number from 1 to 60"),
        refusal("attempts 21", odd(["AWS_METADATA_SERVICE_NUM_ATTEMPTS": "21"]), "number from 1 to 20"),
        refusal("mode 5", odd(["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5"]), "neither IPv4 nor IPv6"),
        refusal(
            "http elsewhere", odd(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://evil.example"]), "may not be asked"
        ),
    ]

    @Test(arguments: refusals) func badAnswersAreErrors(_ refusal: Refusal) async throws {
        try await expectRefusal(refusal)
    }

    @Test func withoutARoleTheSearchGoesOnToItsEnd() async throws {
        let machine = Self.machine([Self.roles: answer(404)])
        let error = await #expect(throws: CredentialsError.self) { try await machine.credentials() }
        #expect(error?.cause.contains("no role is attached to this instance") == true)
    }
}
