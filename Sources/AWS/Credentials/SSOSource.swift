// A role by IAM Identity Center: the token that `aws sso login` left in the cache is exchanged for keys.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
import CivilTime
import FoundationEssentials
import HTTP

struct SSOSource: CredentialSource {
    var context: SourceContext
    var profileName: String

    func load() async throws -> SourceOutcome {
        guard let profile = context.configuration.profile(profileName),
            profile.text("sso_account_id") != nil || profile.text("sso_role_name") != nil
        else { return .absent("profile \(profileName) has no sso_account_id") }
        let settings = try settings(profile)
        try RegionRules.validate(settings.login.region, origin: sourceName)
        let token = try await SSOTokenCache(context: context, login: settings.login, source: sourceName).token()
        return .found(try await roleCredentials(settings, token: token))
    }

    // MARK: Settings

    private struct Settings {
        var login: SSOLogin
        var accountID: String
        var roleName: String
    }

    private func settings(_ profile: ConfigurationProfile) throws -> Settings {
        var session: ConfigurationProfile?
        let sessionName = profile.text("sso_session")
        if let sessionName {
            guard let found = context.configuration.ssoSessions[sessionName] else {
                throw error(
                    "its sso_session \(sessionName) does not exist" + context.configuration.unreadableNote,
                    hint: "add [sso-session \(sessionName)] to \(context.configuration.configPath)")
            }
            session = found
        }
        func required(_ key: String) throws -> String {
            let own = profile.text(key)
            let shared = session?.text(key)
            if let own, let shared, own != shared {
                throw error("its \(key) and that of its sso_session differ", hint: "remove it from the profile")
            }
            guard let text = shared ?? own else {
                throw error("it is set up for SSO, but \(key) is missing")
            }
            return text
        }
        return Settings(
            login: SSOLogin(
                sessionName: sessionName, startURL: try required("sso_start_url"), region: try required("sso_region"),
                profileName: profileName),
            accountID: try required("sso_account_id"), roleName: try required("sso_role_name"))
    }

    // MARK: GetRoleCredentials

    /// Expirations up to the year 9999.
    private static let milliseconds: Range<Int64> = 0..<253_402_300_800_000

    /// The answer's keys; the expiration is in milliseconds.
    private struct Answer: Decodable {
        struct Keys: Decodable {
            var accessKeyId: String
            var secretAccessKey: String
            var sessionToken: String
            var expiration: Int64
        }
        var roleCredentials: Keys
    }

    private func roleCredentials(_ settings: Settings, token: Secret) async throws -> Credentials {
        let endpoint = try context.endpoint(.sso, region: settings.login.region)
        let query =
            "role_name=\(PercentEncoding.encode(settings.roleName))"
            + "&account_id=\(PercentEncoding.encode(settings.accountID))"
        let request = HTTPRequest(
            method: "GET",
            target: HTTPTarget(
                scheme: endpoint.scheme, host: endpoint.host, port: endpoint.port, path: "/federation/credentials",
                query: query),
            headers: [
                HTTPHeader("Accept", "application/json"), HTTPHeader("x-amz-sso_bearer_token", token.revealed),
            ],
            limits: SourceHTTP.limits(connect: .milliseconds(3_100), total: .seconds(30)))
        let response = try await context.http.answer(to: request, from: "SSO", source: sourceName)
        switch response.status {
        case 200: break
        case 401: throw error("the SSO token was refused", hint: settings.login.hint)
        default:
            let document = try? CredentialDocument(json: response.body)
            let said = redacted(document?.errorMessage ?? "", hiding: [token.revealed])
            throw error(
                "GetRoleCredentials for role \(settings.roleName) in account \(settings.accountID) answered "
                    + "\(response.status)" + (said.isEmpty ? "" : ": \(said)"),
                hint: "check sso_account_id and sso_role_name, and that the role is assigned to you",
                isTransient: SourceHTTP.isTemporary(status: response.status))
        }
        guard let keys = (try? JSONDecoder().decode(Answer.self, from: Data(response.body)))?.roleCredentials,
            !keys.accessKeyId.isEmpty, !keys.secretAccessKey.isEmpty, !keys.sessionToken.isEmpty,
            Self.milliseconds.contains(keys.expiration)
        else {
            throw error("the answer of GetRoleCredentials is not usable", isTransient: true)
        }
        return Credentials(
            accessKeyID: keys.accessKeyId, secretAccessKey: Secret(keys.secretAccessKey),
            sessionToken: Secret(keys.sessionToken),
            expiration: context.http.localExpiration(
                Timestamp(milliseconds: keys.expiration), answeredBy: response),
            source: sourceName)
    }

    private var sourceName: String { "SSO of profile \(profileName)" }

    private func error(_ cause: String, hint: String? = nil, isTransient: Bool = false) -> CredentialsError {
        CredentialsError(source: sourceName, cause: cause, hint: hint, isTransient: isTransient)
    }
}
