import AWS
import HTTP
import Testing

/// The order of reliability: each source is set up together with all that come after it, and must win.
struct CredentialOrderTests {
    private static let keys =
        #"{"AccessKeyId":"%","SecretAccessKey":"PLANTED","Token":"PLANTED","Expiration":"2026-01-31T18:00:00Z"}"#
    private static let arn = "arn:aws:iam::123456789012:role/r"

    private enum Source: Int, CaseIterable {
        case environment, role, webIdentity, sso, credentialsFile, process, configFile, container, instance

        var accessKeyID: String { "AK\(rawValue)" }
    }

    /// A machine that has `sources` and no others.
    private static func machine(_ sources: Set<Source>) -> FakeMachine {
        var variables: [String: String] = [:]
        var config = "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = PLANTED\n[default]\n"
        var credentials = ""
        var files: [String: String] = [:]
        if sources.contains(.environment) {
            variables["AWS_ACCESS_KEY_ID"] = Source.environment.accessKeyID
            variables["AWS_SECRET_ACCESS_KEY"] = plant
        }
        if sources.contains(.role) { config += "role_arn = \(arn)\nsource_profile = base\n" }
        if sources.contains(.webIdentity) {
            variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/jwt"
            variables["AWS_ROLE_ARN"] = arn
            files["/jwt"] = plant
        }
        if sources.contains(.sso) {
            config += "sso_start_url = u\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r\n"
            // SHA-1 of `u`.
            files["/home/op/.aws/sso/cache/51e69892ab49df85c6230ccc57f8e1d1606caccc.json"] =
                #"{"accessToken":"PLANTED","expiresAt":"2026-01-31T20:00:00Z"}"#
        }
        if sources.contains(.credentialsFile) {
            credentials =
                "[default]\naws_access_key_id = \(Source.credentialsFile.accessKeyID)\naws_secret_access_key = PLANTED\n"
        }
        if sources.contains(.process) { config += "credential_process = /p\n" }
        if sources.contains(.configFile) {
            config += "aws_access_key_id = \(Source.configFile.accessKeyID)\naws_secret_access_key = PLANTED\n"
        }
        if sources.contains(.container) { variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/c" }
        let hasInstance = sources.contains(.instance)
        return FakeMachine(
            variables, config: config, credentials: credentials, files: files,
            network: { request throws(HTTPTransportError) in
                switch request.target.host {
                case "sts.us-east-1.amazonaws.com":
                    let source: Source = request.text.contains("WebIdentity") ? .webIdentity : .role
                    return answer(
                        200,
                        "<R><Credentials><AccessKeyId>\(source.accessKeyID)</AccessKeyId><SecretAccessKey>PLANTED</SecretAccessKey>"
                            + "<SessionToken>PLANTED</SessionToken><Expiration>2026-01-31T18:00:00Z</Expiration></Credentials></R>"
                    )
                case "portal.sso.us-east-1.amazonaws.com":
                    return answer(
                        200,
                        #"{"roleCredentials":{"accessKeyId":"\#(Source.sso.accessKeyID)","secretAccessKey":"P","sessionToken":"P","expiration":1769882400000}}"#
                    )
                case "169.254.170.2": return answer(200, keys.replacing("%", with: Source.container.accessKeyID))
                case "169.254.169.254" where hasInstance:
                    if request.method == "PUT" { return answer(200, "PLANTED") }
                    return request.target.path.hasSuffix("/")
                        ? answer(200, "role") : answer(200, keys.replacing("%", with: Source.instance.accessKeyID))
                default: throw unreachable(request)
                }
            },
            programs: { _ in
                let text = #"{"Version":1,"AccessKeyId":"\#(Source.process.accessKeyID)","SecretAccessKey":"PLANTED"}"#
                return ProcessOutput(ending: .exited(0), standardOutput: Array(text.utf8))
            })
    }

    @Test func eachSourceWinsOverAllThatComeAfterIt() async throws {
        for first in Source.allCases {
            let later = Set(Source.allCases.filter { $0.rawValue >= first.rawValue })
            #expect(try await Self.machine(later).credentials().accessKeyID == first.accessKeyID, "\(first)")
        }
    }

    @Test func eachSourceIsFoundAlone() async throws {
        for source in Source.allCases {
            #expect(try await Self.machine([source]).credentials().accessKeyID == source.accessKeyID, "\(source)")
        }
    }

    @Test func aSourceThatFailsEndsTheSearch() async throws {
        let machine = FakeMachine(
            [
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c", "AWS_WEB_IDENTITY_TOKEN_FILE": "/gone",
                "AWS_ROLE_ARN": Self.arn,
            ]
        ) { _ in answer(200, Self.keys) }
        let error = await #expect(throws: CredentialsError.self) { try await machine.credentials() }
        #expect(error?.source == "web identity")
        #expect(machine.requests.isEmpty)
    }

    @Test func whenNothingIsFoundEverySourceIsListed() async throws {
        let error = await #expect(throws: CredentialsError.self) { try await FakeMachine().credentials() }
        let cause = try #require(error?.cause)
        let parts = [
            "AWS_ACCESS_KEY_ID", "role_arn", "AWS_WEB_IDENTITY_TOKEN_FILE", "sso_account_id", ".aws/credentials",
            "login_session", "credential_process", ".aws/config", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "169.254.169.254",
        ]
        var rest = cause[...]
        for part in parts {
            let found = try #require(rest.firstRange(of: part), "\(part) is missing in: \(cause)")
            rest = rest[found.upperBound...]
        }
    }
}
