// The two calls to the Security Token Service that give credentials, in the query protocol: a form out, XML back.
// https://docs.aws.amazon.com/STS/latest/APIReference/
// AssumeRole is signed with the keys of its source; AssumeRoleWithWebIdentity carries its proof and is not signed.
import CivilTime
import HTTP

struct STSClient: Sendable {
    private static let version = "2011-06-15"
    /// Codes that STS uses with status 400 for what passes by itself.
    private static let temporaryCodes: Set<String> = [
        "Throttling", "ThrottlingException", "RequestLimitExceeded", "IDPCommunicationError", "InternalFailure",
        "ServiceUnavailable",
    ]
    /// Codes that a wrong local clock can cause.
    private static let clockCodes: Set<String> = [
        "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
        "InvalidSignatureException", "AuthFailure",
    ]

    var http: SourceHTTP
    var endpoint: ServiceEndpoint

    struct RoleRequest: Sendable {
        var roleARN: String
        var sessionName: String
        var externalID: String?
        /// 900 to 43,200; nil for the service's default of an hour.
        var durationSeconds: Int?
    }

    /// `source` names the credentials in messages.
    func assumeRole(_ role: RoleRequest, signedWith keys: Credentials, source: String) async throws -> Credentials {
        let form = form("AssumeRole", role)
        let hidden = [keys.secretAccessKey.revealed, keys.sessionToken?.revealed, role.externalID]
        var now = http.time.now()
        var response = try await send(form, signedWith: keys, at: now, source: source)
        if response.status != 200, let skew = http.clockSkew(response),
            Self.clockCodes.contains(STSAnswer(response.body).errorCode ?? "")
        {
            now = http.time.now().adding(skew)
            response = try await send(form, signedWith: keys, at: now, source: source)
        }
        return try credentials(response, action: "AssumeRole", role: role, hidden: hidden, source: source)
    }

    func assumeRole(_ role: RoleRequest, webIdentityToken token: Secret, source: String) async throws -> Credentials {
        let form = form("AssumeRoleWithWebIdentity", role, adding: [("WebIdentityToken", token.revealed)])
        let response = try await send(form, signedWith: nil, at: http.time.now(), source: source)
        return try credentials(
            response, action: "AssumeRoleWithWebIdentity", role: role, hidden: [token.revealed], source: source)
    }

    // MARK: Request

    private func form(_ action: String, _ role: RoleRequest, adding extra: [(String, String)] = []) -> [UInt8] {
        var fields = [
            ("Action", action), ("Version", Self.version), ("RoleArn", role.roleARN),
            ("RoleSessionName", role.sessionName),
        ]
        if let id = role.externalID { fields.append(("ExternalId", id)) }
        if let seconds = role.durationSeconds { fields.append(("DurationSeconds", String(seconds))) }
        let text = (fields + extra).map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        return Array(text.utf8)
    }

    private func send(
        _ form: [UInt8], signedWith keys: Credentials?, at instant: Timestamp, source: String
    ) async throws -> HTTPResponse {
        let target = HTTPTarget(scheme: endpoint.scheme, host: endpoint.host, port: endpoint.port)
        var headers = [
            HTTPHeader("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            HTTPHeader("Accept", "application/xml"),
        ]
        if let keys {
            let signed = SigningRequest(
                method: "POST", path: "/", query: nil, headers: headers + [HTTPHeader("Host", target.hostHeader)],
                payloadHash: SigV4.payloadHash(of: form))
            headers += SigV4(region: endpoint.region, service: endpoint.signingName)
                .headers(signing: signed, with: keys, at: instant)
        }
        let request = HTTPRequest(
            method: "POST", target: target, headers: headers, body: .bytes(form),
            limits: SourceHTTP.limits(connect: .milliseconds(3_100), total: .seconds(30)))
        return try await http.answer(to: request, from: "STS", source: source) { response in
            SourceHTTP.isTemporary(status: response.status)
                || Self.temporaryCodes.contains(STSAnswer(response.body).errorCode ?? "")
        }
    }

    // MARK: Answer

    private func credentials(
        _ response: HTTPResponse, action: String, role: RoleRequest, hidden: [String?], source: String
    ) throws -> Credentials {
        let answer = STSAnswer(response.body)
        guard response.status == 200 else {
            let code = answer.errorCode ?? ""
            let said = redacted(
                [code, answer.errorMessage ?? ""].filter { !$0.isEmpty }.joined(separator: ": "), hiding: hidden)
            throw CredentialsError(
                source: source,
                cause: "STS \(action) of \(role.roleARN) answered \(response.status)"
                    + (said.isEmpty ? "" : " \(said)"),
                hint: Self.hint(code, action: action),
                isTransient: SourceHTTP.isTemporary(status: response.status) || Self.temporaryCodes.contains(code))
        }
        guard let id = answer.credential("AccessKeyId"), let key = answer.credential("SecretAccessKey"),
            let token = answer.credential("SessionToken"),
            let expiration = answer.credential("Expiration").flatMap({ RFC3339.parse($0) })
        else {
            throw CredentialsError(
                source: source, cause: "the answer of STS \(action) lacks a key, a token or a usable expiration",
                hint: "check AWS_ENDPOINT_URL_STS, if it is set", isTransient: true)
        }
        return Credentials(
            accessKeyID: id, secretAccessKey: Secret(key), sessionToken: Secret(token),
            expiration: http.localExpiration(expiration, answeredBy: response), source: source)
    }

    private static func hint(_ code: String, action: String) -> String? {
        switch code {
        case "AccessDenied":
            action == "AssumeRole"
                ? "the role's trust policy must name the source identity, and that identity needs sts:AssumeRole"
                : "the role's trust policy must trust this identity provider, audience and subject"
        case "InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException":
            action == "AssumeRole"
                ? "the source credentials are unknown or expired" : "the token file holds an expired token"
        case "InvalidIdentityToken": "check the IAM identity provider, its audience, and that the token file is fresh"
        case "SignatureDoesNotMatch": "check the source's secret key and this machine's clock"
        case "RegionDisabledException": "activate STS in this region, or set AWS_REGION to one that is active"
        case "ValidationError": "check role_arn, role_session_name and duration_seconds"
        default: nil
        }
    }
}
