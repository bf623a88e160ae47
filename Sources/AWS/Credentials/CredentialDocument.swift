// The JSON that credential processes, container endpoints and instance metadata answer with. Decoding errors are
// told by key only: the text around an error may be a secret.
import CivilTime
import FoundationEssentials

/// The JSON object of an answer; every field may be missing, and unknown ones are ignored.
struct CredentialDocument: Decodable {
    let version: Int?
    private let accessKeyID: String?
    private let secretAccessKey: String?
    private let sessionToken: String?
    private let token: String?
    private let expiration: String?
    private let code: String?
    private let message: String?
    private let lowerCaseCode: String?
    private let lowerCaseMessage: String?

    private enum CodingKeys: String, CodingKey {
        case version = "Version"
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case sessionToken = "SessionToken"
        case token = "Token"
        case expiration = "Expiration"
        case code = "Code"
        case message = "Message"
        case lowerCaseCode = "code"
        case lowerCaseMessage = "message"
    }

    /// What is wrong with a document, as the end of a sentence.
    struct Problem: Error {
        var text: String
    }

    init(json: [UInt8]) throws(Problem) {
        do {
            self = try JSONDecoder().decode(CredentialDocument.self, from: Data(json))
        } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
            throw Problem(text: "its \(context.codingPath[0].stringValue) has the wrong type")
        } catch {
            throw Problem(text: "it is not a JSON object")
        }
    }

    /// `Code` and `Message` of an error, if it is one. Instance metadata says `Success` when it is none.
    var errorCode: String? { code ?? lowerCaseCode }
    var errorMessage: String? { message ?? lowerCaseMessage }

    /// The keys in it. `tokenKey` is what this source calls the session token; with `isTemporary` the token and an
    /// expiration must be there.
    func credentials(
        source: String, tokenKey: TokenKey, isTemporary: Bool
    ) throws(Problem) -> Credentials {
        let token = tokenKey == .token ? token : sessionToken
        guard let id = accessKeyID, !id.isEmpty else { throw Problem(text: "it has no AccessKeyId") }
        guard let key = secretAccessKey, !key.isEmpty else { throw Problem(text: "it has no SecretAccessKey") }
        if isTemporary, token?.isEmpty ?? true { throw Problem(text: "it has no \(tokenKey.rawValue)") }
        var end: Timestamp?
        if let text = expiration, !text.isEmpty {
            guard let instant = RFC3339.parse(text) else {
                throw Problem(text: "its Expiration is not an ISO 8601 time")
            }
            end = instant
        } else if isTemporary {
            throw Problem(text: "it has no Expiration")
        }
        return Credentials(
            accessKeyID: id, secretAccessKey: Secret(key),
            sessionToken: token.flatMap { $0.isEmpty ? nil : Secret($0) }, expiration: end, source: source)
    }

    enum TokenKey: String { case token = "Token", sessionToken = "SessionToken" }
}
