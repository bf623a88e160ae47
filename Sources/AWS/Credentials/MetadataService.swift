import HTTP

/// Where the instance metadata service answers and how patiently it is asked: AWS_EC2_METADATA_SERVICE_ENDPOINT and
/// _MODE, AWS_METADATA_SERVICE_TIMEOUT and _NUM_ATTEMPTS, or the profile's keys of the same names.
struct MetadataService: Sendable {
    static let ipv4Host = "169.254.169.254"
    static let ipv6Host = "fd00:ec2::254"
    /// One second and one try, as the AWS tools have it: off EC2 nobody answers, and every run would wait.
    private static let defaultSeconds = 1
    private static let secondsMax = 60
    private static let attemptsMax = 20

    let url: EndpointURL
    let timeout: Duration
    let attempts: SourceHTTP.Attempts

    init(context: SourceContext) throws {
        let environment = context.environment
        let profile = context.configuration.currentProfile
        func setting(_ name: String) -> (text: String, origin: String)? {
            if let text = environment.variable("AWS_" + name.uppercased()) { return (text, "AWS_" + name.uppercased()) }
            return profile.text(name).map { ($0, "\(name) of profile \(profile.name)") }
        }
        func number(_ name: String, default fallback: Int, max: Int) throws -> Int {
            guard let found = setting(name) else { return fallback }
            guard let value = Int(found.text), (1...max).contains(value) else {
                throw Self.error("\(found.origin) is not a number from 1 to \(max)")
            }
            return value
        }
        timeout = .seconds(
            try number("metadata_service_timeout", default: Self.defaultSeconds, max: Self.secondsMax))
        attempts = .fixed(
            try number("metadata_service_num_attempts", default: 1, max: Self.attemptsMax), pause: .seconds(1))

        if let custom = setting("ec2_metadata_service_endpoint") {
            url = try Self.customURL(custom.text, origin: custom.origin)
            return
        }
        let host: String
        switch setting("ec2_metadata_service_endpoint_mode")?.text.lowercased() {
        case nil, "ipv4": host = Self.ipv4Host
        case "ipv6": host = "[\(Self.ipv6Host)]"
        default: throw Self.error("the endpoint mode is neither IPv4 nor IPv6")
        }
        url = try EndpointURL("http://\(host)")
    }

    private static func customURL(_ text: String, origin: String) throws -> EndpointURL {
        let url: EndpointURL
        do {
            url = try EndpointURL(text)
        } catch {
            throw self.error("\(origin) is not a usable URL: \(error.text)")
        }
        guard
            url.scheme == "https" || EndpointURL.isLoopback(url.host) || [ipv4Host, ipv6Host].contains(url.host)
        else {
            throw error("\(origin) names \(url.host), which may not be asked over http")
        }
        guard url.query == nil else { throw error("\(origin) has a query") }
        return url
    }

    func request(_ method: String, _ path: String, headers: [HTTPHeader]) -> HTTPRequest {
        let prefix = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
        return HTTPRequest(
            method: method, target: url.target(path: prefix + path), headers: headers,
            limits: SourceHTTP.limits(connect: timeout, total: timeout), bypassesProxy: true)
    }

    private static func error(_ cause: String) -> CredentialsError {
        CredentialsError(source: InstanceMetadataSource.name, cause: cause)
    }
}
