// Instants in manifests, markers and stored plans: RFC 3339, UTC, at most six fraction digits, none that are zero.

package import CivilTime

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        // One spelling only: what is written again must be what was read.
        guard let time = RFC3339.parse(text), RFC3339.text(time) == text else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a UTC instant"))
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(RFC3339.text(self))
    }
}
