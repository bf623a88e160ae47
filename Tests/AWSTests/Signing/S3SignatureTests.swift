import AWS
import CivilTime
import Foundation
import HTTP
import Testing

/// An S3 request that botocore signed; see Tests/Data/cases/README.md.
struct S3SignatureCase: Decodable, CustomTestStringConvertible {
    var method: String
    var key: String
    var query: String?
    var headers: [[String]]
    var token: String?
    var payload_hash: String
    var authorization: String

    var testDescription: String { "\(method) \(key.debugDescription)" }

    /// 2026-11-22T20:31:00Z
    static let instant = Timestamp(seconds: 1_795_379_460)

    static let all: [S3SignatureCase] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Data/cases/sigv4_s3_cases.jsonl").standardizedFileURL
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(S3SignatureCase.self, from: Data($0.utf8))
        }
    }()
}

struct S3SignatureTests {
    @Test func allCasesAreRead() { #expect(S3SignatureCase.all.count == 14) }

    @Test(arguments: S3SignatureCase.all) func oddKeysAreSignedAsBotocoreSignsThem(_ c: S3SignatureCase) {
        let endpoint = ServiceEndpoint(
            host: "s3.us-east-1.amazonaws.com", region: "us-east-1", signingName: "s3")
        let address = S3Address(
            S3Destination(bucket: "acme-logs", region: "us-east-1"), endpoint: endpoint, region: "us-east-1")
        let request = SigningRequest(
            method: c.method, path: address.path(key: c.key), query: c.query,
            headers: [HTTPHeader("Host", address.host)] + c.headers.map { HTTPHeader($0[0], $0[1]) },
            payloadHash: c.payload_hash)
        let keys = Credentials(
            accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            sessionToken: c.token.map(Secret.init), source: "botocore")
        let added = SigV4(region: "us-east-1", service: "s3")
            .headers(signing: request, with: keys, at: S3SignatureCase.instant)
        #expect(added.last?.value == c.authorization)
    }
}
