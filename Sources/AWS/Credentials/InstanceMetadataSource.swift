// The role of an EC2 instance, by IMDSv2 only: a session token first, then the role's name, then its keys.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
// There is no way back to IMDSv1: it gives keys to anybody who can make the host send a GET.
import HTTP

struct InstanceMetadataSource: CredentialSource {
    static let name = "instance metadata"
    private static let tokenPath = "/latest/api/token"
    private static let rolePath = "/latest/meta-data/iam/security-credentials/"
    private static let tokenSeconds = "21600"

    var context: SourceContext

    func load() async throws -> SourceOutcome {
        if context.environment.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" {
            return .absent("AWS_EC2_METADATA_DISABLED is true")
        }
        let service = try MetadataService(context: context)
        let token: Secret
        switch try await sessionToken(service) {
        case .token(let text): token = text
        case .unavailable(let reason): return .absent(reason)
        }
        let list = try await get(Self.rolePath, service, token)
        if list.status == 404 { return .absent("no role is attached to this instance") }
        guard list.status == 200 else { throw refused("the role's name", list) }
        let role = trimmed(String(decoding: list.body, as: UTF8.self).prefix { $0 != "\n" && $0 != "\r\n" })
        guard Self.isRoleName(role) else { throw error("the role's name it gave is not one") }

        let response = try await get(Self.rolePath + role, service, token)
        guard response.status == 200 else { throw refused("the keys of role \(role)", response) }
        return .found(try credentials(response, role: role, token: token))
    }

    private func credentials(_ response: HTTPResponse, role: String, token: Secret) throws -> Credentials {
        do {
            let document = try CredentialDocument(json: response.body)
            if let code = document.errorCode, code != "Success" {
                let said = redacted("\(code): \(document.errorMessage ?? "")", hiding: [token.revealed])
                throw error(
                    "role \(role): \(said)", hint: "check the trust policy of the role that is attached to the instance"
                )
            }
            var credentials = try document.credentials(source: Self.name, tokenKey: .token, isTemporary: true)
            credentials.expiration = credentials.expiration.map {
                context.http.localExpiration($0, answeredBy: response)
            }
            return credentials
        } catch let problem as CredentialDocument.Problem {
            throw error("the answer for role \(role) is not usable: \(problem.text)", isTransient: true)
        }
    }

    // MARK: The session token

    private enum TokenOutcome {
        case token(Secret)
        case unavailable(String)
    }

    private func sessionToken(_ service: MetadataService) async throws -> TokenOutcome {
        let request = service.request(
            "PUT", Self.tokenPath, headers: [HTTPHeader("X-aws-ec2-metadata-token-ttl-seconds", Self.tokenSeconds)])
        let response: HTTPResponse
        do {
            response = try await context.http.send(request, attempts: service.attempts)
        } catch let failure as HTTPTransportError {
            if failure.kind == .cancelled { throw failure }
            guard failure.kind == .timeout else {
                return .unavailable("\(service.url.host) gave no answer (\(failure.kind.rawValue))")
            }
            return .unavailable(
                "\(service.url.host) did not answer PUT \(Self.tokenPath) in time; in a container on EC2 the hop "
                    + "limit of the instance metadata must be 2")
        }
        switch response.status {
        case 200:
            let text = String(decoding: response.body, as: UTF8.self)
            guard (1...4_096).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw error("the session token it gave is not one")
            }
            return .token(Secret(text))
        case 403:
            return .unavailable("PUT \(Self.tokenPath) answered 403: the metadata service is turned off or blocked")
        case 404, 405:
            return .unavailable(
                "PUT \(Self.tokenPath) answered \(response.status): there is no IMDSv2 here, and IMDSv1 is not used")
        default:
            throw refused("a session token", response)
        }
    }

    private func get(_ path: String, _ service: MetadataService, _ token: Secret) async throws -> HTTPResponse {
        let request = service.request(
            "GET", path, headers: [HTTPHeader("X-aws-ec2-metadata-token", token.revealed)])
        return try await context.http.answer(
            to: request, from: "the service", source: Self.name, attempts: service.attempts)
    }

    /// The characters that IAM allows in a role's name; none needs encoding in a path.
    private static func isRoleName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "_+=,.@-".utf8.contains(byte)
            }
    }

    private func refused(_ what: String, _ response: HTTPResponse) -> CredentialsError {
        error(
            "asked for \(what), it answered \(response.status)",
            isTransient: SourceHTTP.isTemporary(status: response.status))
    }

    private func error(_ cause: String, hint: String? = nil, isTransient: Bool = false) -> CredentialsError {
        CredentialsError(source: Self.name, cause: cause, hint: hint, isTransient: isTransient)
    }
}
