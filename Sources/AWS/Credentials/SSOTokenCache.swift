// The access token of an SSO login, from the cache file that `aws sso login` writes. A token of an sso-session that
// ends soon is refreshed, and the new one written back, since a refresh makes the old refresh token worthless to the
// AWS CLI. Fields of the file that are not ours are kept.
import CivilTime
import Crypto
import Diagnostics
import FoundationEssentials
import HTTP

/// One login: a session, or (older) a start URL alone, which cannot be refreshed.
struct SSOLogin: Sendable {
    var sessionName: String?
    var startURL: String
    var region: String
    var profileName: String

    var hint: String {
        sessionName.map { "run: aws sso login --sso-session \($0)" } ?? "run: aws sso login --profile \(profileName)"
    }

    /// The name of the cache file: SHA-1 of the session's name, or of the start URL.
    var cacheFileName: String {
        hexText(Insecure.SHA1.hash(data: Data((sessionName ?? startURL).utf8))) + ".json"
    }
}

struct SSOTokenCache: Sendable {
    /// A token that lives shorter than this is refreshed.
    private static let refreshWindow = Duration.seconds(15 * 60)

    var context: SourceContext
    var login: SSOLogin
    var source: String

    func token() async throws -> Secret {
        let path = context.environment.expandingHome("~/.aws/sso/cache/\(login.cacheFileName)")
        let cached = try read(path)
        let now = context.time.now()
        let left = cached.expiresAt.since(now)
        if login.sessionName != nil, left < Self.refreshWindow, let renewal = cached.renewal(now: now) {
            do {
                return try await refresh(cached, renewal, path: path)
            } catch {
                guard left > .zero else { throw error }
                context.log("SSO token was not refreshed, using the one that is still good: \(describe(error))")
            }
        }
        guard left > .zero else { throw error("the SSO token has expired", hint: login.hint) }
        return cached.accessToken
    }

    private func read(_ path: String) throws -> CachedToken {
        let bytes: [UInt8]?
        do {
            bytes = try context.environment.readFile(path)
        } catch {
            throw self.error("token file \(path): \((error as? FileFailure)?.message ?? "cannot be read")")
        }
        guard let bytes else { throw error("there is no SSO token at \(path)", hint: login.hint) }
        guard let token = CachedToken(json: bytes) else {
            throw error("the SSO token file \(path) is damaged", hint: login.hint)
        }
        return token
    }

    // MARK: Refresh

    /// CreateToken's answer.
    private struct Answer: Decodable {
        var accessToken: String
        var expiresIn: Int64
        var refreshToken: String?
    }

    private func refresh(_ cached: CachedToken, _ renewal: CachedToken.Renewal, path: String) async throws -> Secret {
        let endpoint = try context.endpoint(.ssoOIDC, region: login.region)
        let body = [
            "grantType": "refresh_token", "clientId": renewal.clientID,
            "clientSecret": renewal.clientSecret.revealed, "refreshToken": renewal.refreshToken.revealed,
        ]
        let request = HTTPRequest(
            method: "POST",
            target: HTTPTarget(scheme: endpoint.scheme, host: endpoint.host, port: endpoint.port, path: "/token"),
            headers: [HTTPHeader("Content-Type", "application/json"), HTTPHeader("Accept", "application/json")],
            body: .bytes(Array(try JSONEncoder().encode(body))),
            limits: SourceHTTP.limits(connect: .milliseconds(3_100), total: .seconds(30)))
        let response = try await context.http.answer(to: request, from: "the token refresh", source: source)
        guard response.status == 200 else {
            throw error(
                "the SSO token has expired and its refresh was answered with \(response.status)", hint: login.hint,
                isTransient: SourceHTTP.isTemporary(status: response.status))
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
            CachedToken.isHeaderValue(answer.accessToken), (1...31_536_000).contains(answer.expiresIn)
        else { throw error("the answer to the SSO token refresh is not usable", hint: login.hint, isTransient: true) }

        let expiresAt = context.time.now().adding(.seconds(answer.expiresIn))
        let renewed = cached.renewed(
            accessToken: answer.accessToken, refreshToken: answer.refreshToken, expiresAt: expiresAt, login: login)
        do {
            try context.environment.writeFile(path, renewed)
        } catch {
            context.log(
                "the refreshed SSO token could not be written to \(path): "
                    + ((error as? FileFailure)?.message ?? "unknown reason"))
        }
        return Secret(answer.accessToken)
    }

    private func describe(_ error: any Error) -> String {
        (error as? CredentialsError)?.diagnostic.summary ?? "unexpected error"
    }

    private func error(_ cause: String, hint: String? = nil, isTransient: Bool = false) -> CredentialsError {
        CredentialsError(source: source, cause: cause, hint: hint, isTransient: isTransient)
    }
}
