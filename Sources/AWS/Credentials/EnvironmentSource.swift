import CivilTime

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (or its old name AWS_SECURITY_TOKEN) and
/// AWS_CREDENTIAL_EXPIRATION. One key without the other is an error: a half-set environment is a mistake, and going
/// on with other credentials would hide it.
struct EnvironmentSource: CredentialSource {
    static let name = "environment"
    var context: SourceContext

    func load() async throws -> SourceOutcome {
        let environment = context.environment
        let id = environment.variable("AWS_ACCESS_KEY_ID")
        let key = environment.variable("AWS_SECRET_ACCESS_KEY")
        guard id != nil || key != nil else { return .absent("AWS_ACCESS_KEY_ID is not set") }
        guard let id, let key else {
            let (set, missing) =
                id == nil
                ? ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID") : ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            throw CredentialsError(
                source: Self.name, cause: "\(set) is set but \(missing) is not", hint: "set both, or neither")
        }
        var expiration: Timestamp?
        if let text = environment.variable("AWS_CREDENTIAL_EXPIRATION") {
            guard let instant = RFC3339.parse(text) else {
                throw CredentialsError(
                    source: Self.name, cause: "AWS_CREDENTIAL_EXPIRATION is not an ISO 8601 time",
                    hint: "write it like 2026-01-31T12:00:00Z")
            }
            expiration = instant
        }
        let token = environment.variable("AWS_SESSION_TOKEN") ?? environment.variable("AWS_SECURITY_TOKEN")
        return .found(
            Credentials(
                accessKeyID: id, secretAccessKey: Secret(key), sessionToken: token.map { Secret($0) },
                expiration: expiration, source: Self.name))
    }
}
