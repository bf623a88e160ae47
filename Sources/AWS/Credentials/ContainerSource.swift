// The credentials endpoint of ECS tasks and EKS pods.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
// The address comes from the environment, so only https, loopback and the link-local addresses of AWS are asked.
import HTTP

struct ContainerSource: CredentialSource {
    static let name = "container credentials"
    private static let relativeVariable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    private static let fullVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    private static let ecsHost = "169.254.170.2"
    /// ECS, EKS over IPv4, EKS over IPv6.
    private static let plainHosts = [ecsHost, "169.254.170.23", "fd00:ec2::23"]
    private static let timeout = Duration.seconds(2)
    private static let attempts = SourceHTTP.Attempts.fixed(3, pause: .seconds(1))

    var context: SourceContext

    func load() async throws -> SourceOutcome {
        guard let url = try configuredURL() else {
            return .absent("\(Self.relativeVariable) and \(Self.fullVariable) are not set")
        }
        let token = try authorizationToken()
        var headers = [HTTPHeader("Accept", "application/json")]
        if let token { headers.append(HTTPHeader("Authorization", token.revealed)) }
        let request = HTTPRequest(
            method: "GET", target: url.target(path: url.path, query: url.query), headers: headers,
            limits: SourceHTTP.limits(connect: Self.timeout, total: Self.timeout), bypassesProxy: true)
        let response = try await context.http.answer(
            to: request, from: "the endpoint", source: Self.name, attempts: Self.attempts)
        let document = try? CredentialDocument(json: response.body)
        guard response.status == 200 else {
            let parts = [document?.errorCode, document?.errorMessage].compactMap { $0 }
            let said = parts.isEmpty ? "" : ": " + redacted(parts.joined(separator: ": "), hiding: [token?.revealed])
            throw error(
                "\(url.host) answered \(response.status)\(said)",
                hint: "check the task role or the pod identity association",
                isTransient: SourceHTTP.isTemporary(status: response.status))
        }
        do {
            var credentials = try CredentialDocument(json: response.body)
                .credentials(source: Self.name, tokenKey: .token, isTemporary: true)
            credentials.expiration = credentials.expiration.map {
                context.http.localExpiration($0, answeredBy: response)
            }
            return .found(credentials)
        } catch {
            throw self.error("the answer of \(url.host) is not usable: \(error.text)", isTransient: true)
        }
    }

    /// The relative address wins when both are set, as in botocore.
    private func configuredURL() throws -> EndpointURL? {
        if let path = context.environment.variable(Self.relativeVariable) {
            // Without the slash, `@evil.example/` would make another host of it.
            guard path.hasPrefix("/") else {
                throw error("\(Self.relativeVariable) does not start with /")
            }
            return try url("http://\(Self.ecsHost)\(path)", from: Self.relativeVariable)
        }
        guard let text = context.environment.variable(Self.fullVariable) else { return nil }
        let url = try url(text, from: Self.fullVariable)
        guard url.scheme == "https" || EndpointURL.isLoopback(url.host) || Self.plainHosts.contains(url.host) else {
            throw error(
                "\(Self.fullVariable) names \(url.host), which may not be asked over http",
                hint: "http is for loopback and \(Self.plainHosts.joined(separator: ", ")); use https for others")
        }
        return url
    }

    private func url(_ text: String, from variable: String) throws -> EndpointURL {
        do {
            return try EndpointURL(text)
        } catch {
            throw self.error("\(variable) is not a usable URL: \(error.text)")
        }
    }

    /// The file wins over the variable and is read each time: EKS rotates it.
    private func authorizationToken() throws -> Secret? {
        let token: String
        if let path = context.environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            token = try context.environment.tokenText(path: path, source: Self.name)
        } else if let text = context.environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            token = text
        } else {
            return nil
        }
        // Anything but visible ASCII and spaces could end the header and begin another.
        guard token.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw error("the authorization token holds a line break or another character that a header cannot hold")
        }
        return Secret(token)
    }

    private func error(_ cause: String, hint: String? = nil, isTransient: Bool = false) -> CredentialsError {
        CredentialsError(source: Self.name, cause: cause, hint: hint, isTransient: isTransient)
    }
}

extension AWSEnvironment {
    /// The text of a token file, as it stands.
    func tokenText(path: String, source: String) throws(CredentialsError) -> String {
        let bytes: [UInt8]?
        do {
            bytes = try readFile(path)
        } catch {
            throw CredentialsError(
                source: source,
                cause: "token file \(path): \((error as? FileFailure)?.message ?? "cannot be read")")
        }
        guard let bytes else { throw CredentialsError(source: source, cause: "token file \(path) does not exist") }
        guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else {
            throw CredentialsError(source: source, cause: "token file \(path) is empty or not text")
        }
        return text
    }
}
