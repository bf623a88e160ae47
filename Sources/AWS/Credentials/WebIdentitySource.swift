// A role by an OpenID Connect token in a file: EKS service accounts, CI systems. The file is read for every call,
// since its owner rotates it. The call is not signed: the token is the proof.
import CivilTime

struct WebIdentitySource: CredentialSource {
    var context: SourceContext
    var profileName: String
    /// False for a source profile: there the variables belong to somebody else.
    var usesVariables: Bool

    func load() async throws -> SourceOutcome {
        let profile = context.configuration.profile(profileName)
        func setting(_ variable: String, _ key: String) -> String? {
            (usesVariables ? context.environment.variable(variable) : nil) ?? profile?.text(key)
        }
        guard let path = setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file") else {
            return .absent(
                usesVariables
                    ? "AWS_WEB_IDENTITY_TOKEN_FILE is not set"
                    : "profile \(profileName) has no web_identity_token_file")
        }
        let isVariable = usesVariables && context.environment.variable("AWS_WEB_IDENTITY_TOKEN_FILE") != nil
        let source = "web identity" + (isVariable ? "" : " of profile \(profileName)")
        guard let role = setting("AWS_ROLE_ARN", "role_arn") else {
            throw CredentialsError(
                source: source, cause: "a token file is set, but no role",
                hint: "set AWS_ROLE_ARN, or role_arn in the profile")
        }
        let settings = RoleSettings(source: source)
        let request = STSClient.RoleRequest(
            roleARN: try settings.roleARN(role),
            sessionName: try settings.sessionName(
                setting("AWS_ROLE_SESSION_NAME", "role_session_name"), now: context.time.now()),
            durationSeconds: try settings.duration(profile?.text("duration_seconds")))
        let token = Secret(
            trimmed(try context.environment.tokenText(path: context.environment.expandingHome(path), source: source)))
        let sts = STSClient(
            http: context.http, endpoint: try context.endpoint(.sts, region: try context.stsRegion()))
        return .found(try await sts.assumeRole(request, webIdentityToken: token, source: source))
    }
}
