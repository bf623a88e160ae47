import AWS
import CivilTime
import Foundation
import HTTP
import Testing

/// One case of the official suite; see Tests/Data/cases/README.md.
struct SigV4Case: Decodable, CustomTestStringConvertible {
    struct Parsed: Decodable {
        var method: String
        var target: String
        var headers: [[String]]
        var body: String
    }
    struct Keys: Decodable {
        var access_key_id: String
        var secret_access_key: String
        var token: String?
    }
    struct Context: Decodable {
        var credentials: Keys
        var region: String
        var service: String
        var time: String
        var normalize: Bool
        var sign_body: Bool
        var omit_session_token: Bool
        var expires: Int?
        var double_uri_encode: Bool
    }
    var id: String
    var kind: String
    var parsed: Parsed
    var context: Context
    var canonical_request: String
    var string_to_sign: String
    var signature: String
    var signed_request: String
    var authorization: String?

    var testDescription: String { id }

    /// Reading the wire form: a query starts at the first `?`, a folded header value keeps its line breaks.
    var request: SigningRequest {
        let halves = parsed.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return SigningRequest(
            method: parsed.method, path: String(halves[0]), query: halves.count > 1 ? String(halves[1]) : nil,
            headers: parsed.headers.map { HTTPHeader($0[0], $0[1]) },
            payloadHash: SigV4.payloadHash(of: Array(parsed.body.utf8)))
    }

    var signer: SigV4 {
        SigV4(
            region: context.region, service: context.service,
            rules: SigningRules(
                normalizesPath: context.normalize, encodesPathAgain: context.double_uri_encode,
                sendsPayloadHash: context.sign_body, signsSessionToken: !context.omit_session_token))
    }

    var credentials: Credentials {
        Credentials(
            accessKeyID: context.credentials.access_key_id,
            secretAccessKey: Secret(context.credentials.secret_access_key),
            sessionToken: context.credentials.token.map(Secret.init), source: "suite")
    }

    /// Every case of the suite is signed at this instant.
    static let instant = Timestamp(seconds: 1_440_938_160)

    static let all: [SigV4Case] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Data/cases/sigv4_cases.jsonl").standardizedFileURL
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(SigV4Case.self, from: Data($0.utf8))
        }
    }()
}

struct SigV4SuiteTests {
    @Test func suiteIsComplete() {
        #expect(SigV4Case.all.count == 110)
        #expect(SigV4Case.all.filter { $0.kind == "query" }.count == 38)
        #expect(SigV4Case.all.allSatisfy { $0.context.time == "2015-08-30T12:36:00Z" })
    }

    @Test(arguments: SigV4Case.all) func canonicalRequestMatches(_ c: SigV4Case) {
        let time = SigningTime(SigV4Case.instant)
        let prepared =
            c.kind == "query"
            ? c.signer.preparedForQuery(
                c.request, credentials: c.credentials, at: time, expires: .seconds(c.context.expires ?? 0))
            : c.signer.preparedForHeaders(c.request, credentials: c.credentials, at: time)
        #expect(c.signer.canonicalRequest(prepared).text == c.canonical_request)
    }

    @Test(arguments: SigV4Case.all) func stringToSignMatches(_ c: SigV4Case) {
        let text = c.signer.stringToSign(
            canonicalRequest: c.canonical_request, at: SigningTime(SigV4Case.instant))
        #expect(text == c.string_to_sign)
    }

    @Test(arguments: SigV4Case.all) func signatureMatches(_ c: SigV4Case) {
        let signature = c.signer.signature(
            stringToSign: c.string_to_sign, secretAccessKey: c.credentials.secretAccessKey,
            at: SigningTime(SigV4Case.instant))
        #expect(signature == c.signature)
    }

    @Test(arguments: SigV4Case.all.filter { $0.kind == "header" })
    func authorizationHeaderMatches(_ c: SigV4Case) {
        let added = c.signer.headers(signing: c.request, with: c.credentials, at: SigV4Case.instant)
        #expect(added.first { $0.name == "Authorization" }?.value == c.authorization)
    }

    @Test(arguments: SigV4Case.all.filter { $0.kind == "query" }) func presignedQueryMatches(_ c: SigV4Case) {
        let query = c.signer.query(
            signing: c.request, with: c.credentials, at: SigV4Case.instant, expires: .seconds(c.context.expires ?? 0))
        // The suite orders the parameters its own way; as a set they must be the same.
        let line = c.signed_request.prefix { $0 != "\n" }
        let target = line.dropFirst(c.parsed.method.count + 1).dropLast(" HTTP/1.1".count)
        let expected = target.split(separator: "?", maxSplits: 1)[1].split(separator: "&").sorted()
        #expect(query.split(separator: "&").sorted() == expected)
    }
}
