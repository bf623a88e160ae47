import CivilTime
import FoundationEssentials

/// The JSON of a cached SSO token: an object of strings, of which we know some.
struct CachedToken: Sendable {
    private var fields: [String: Secret]
    let accessToken: Secret
    let expiresAt: Timestamp

    /// What a refresh needs.
    struct Renewal: Sendable {
        var clientID: String
        var clientSecret: Secret
        var refreshToken: Secret
    }

    /// Nil unless the token and its expiration are there. Values that are not strings are dropped.
    init?(json: [UInt8]) {
        guard let object = try? JSONDecoder().decode([String: Field].self, from: Data(json)) else { return nil }
        fields = object.compactMapValues { $0.text.map { Secret($0) } }
        guard let token = fields["accessToken"], Self.isHeaderValue(token.revealed),
            let expiresAt = fields["expiresAt"].flatMap({ Self.time($0.revealed) })
        else { return nil }
        accessToken = token
        self.expiresAt = expiresAt
    }

    /// Nil when a part is missing or the client's registration has ended.
    func renewal(now: Timestamp) -> Renewal? {
        guard let id = fields["clientId"], let secret = fields["clientSecret"], let token = fields["refreshToken"],
            let registered = fields["registrationExpiresAt"].flatMap({ Self.time($0.revealed) }), registered > now
        else { return nil }
        return Renewal(clientID: id.revealed, clientSecret: secret, refreshToken: token)
    }

    /// The file's bytes after a refresh. A refresh token that did not come with the answer is used up.
    func renewed(accessToken: String, refreshToken: String?, expiresAt: Timestamp, login: SSOLogin) -> [UInt8] {
        var object = fields.mapValues(\.revealed)
        object["accessToken"] = accessToken
        object["expiresAt"] = RFC3339.text(expiresAt)
        object["refreshToken"] = refreshToken
        object["startUrl"] = login.startURL
        object["region"] = login.region
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array((try? encoder.encode(object)) ?? Data())
    }

    /// The token travels in a header: visible ASCII only.
    static func isHeaderValue(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// RFC 3339, or with `UTC` for the zone as older AWS CLIs wrote it.
    private static func time(_ text: String) -> Timestamp? {
        RFC3339.parse(text.hasSuffix("UTC") ? text.dropLast(3) + "Z" : text)
    }

    /// A JSON value of which only the text of a string is kept.
    private struct Field: Decodable {
        var text: String?
        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }
}
