// Signing in the query (presigned URLs). Sluice sends signed headers only; this form exists because the official
// suite covers it with the same stages, which checks the query rules twice.

package import CivilTime
import HTTP

extension SigV4 {
    /// `request` with the signing parameters in its query, before the canonical request is taken.
    package func preparedForQuery(
        _ request: SigningRequest, credentials: Credentials, at time: SigningTime, expires: Duration
    ) -> SigningRequest {
        var prepared = request
        var parameters = [
            ("X-Amz-Algorithm", Self.algorithm),
            ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(at: time))"),
            ("X-Amz-Date", time.text),
            ("X-Amz-SignedHeaders", canonicalHeaders(request.headers).map(\.name).joined(separator: ";")),
            ("X-Amz-Expires", String(expires.components.seconds)),
        ]
        if rules.signsSessionToken, let token = credentials.sessionToken {
            parameters.append(("X-Amz-Security-Token", token.revealed))
        }
        prepared.query = Self.appending(parameters, to: request.query)
        return prepared
    }

    /// The query of the presigned request, signature included.
    package func query(
        signing request: SigningRequest, with credentials: Credentials, at instant: Timestamp, expires: Duration
    ) -> String {
        let time = SigningTime(instant)
        let prepared = preparedForQuery(request, credentials: credentials, at: time, expires: expires)
        let signature = signature(
            stringToSign: stringToSign(canonicalRequest: canonicalRequest(prepared).text, at: time),
            secretAccessKey: credentials.secretAccessKey, at: time)
        var added = [("X-Amz-Signature", signature)]
        if !rules.signsSessionToken, let token = credentials.sessionToken {
            added.append(("X-Amz-Security-Token", token.revealed))
        }
        return Self.appending(added, to: prepared.query)
    }

    private static func appending(_ parameters: [(String, String)], to query: String?) -> String {
        let encoded = parameters.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }
        return ((query.map { $0.isEmpty ? [] : [$0] } ?? []) + encoded).joined(separator: "&")
    }
}
