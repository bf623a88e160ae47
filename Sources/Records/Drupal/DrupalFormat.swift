// A site's `syslog_format`, made ready for splitting: which fields stand in which order, and the text between them.
// Drupal replaces the tokens in one pass and escapes nothing, so every value may hold the text between the fields.

/// A compiled `drupal_format`.
package struct DrupalFormat: Sendable {
    package static let byteCountMax = 4_096

    /// In the order of the format, each once.
    let fields: [DrupalField]
    /// The text before the first field, between the fields and after the last one: one more than there are fields.
    let literals: [[UInt8]]
    /// The byte between all fields, when it is one and nothing stands around them: the format that nearly all have.
    let separator: UInt8?
    /// So many anchors must be in a text before any of it counts as Drupal's.
    let anchorCountMin: Int
    /// Values that the client chooses stand before `!uid`, and the message after it: then text made for the purpose
    /// can look like a user id and end such a value early.
    let uidCanBeForged: Bool

    /// - Parameter template: `!base_url|!timestamp|…`. Text that is no token stands for itself, as in Drupal: `!user`.
    package init(_ template: String) throws(DrupalFormatError) {
        let bytes = Array(template.utf8)
        guard !bytes.isEmpty else { throw DrupalFormatError(.empty, template: template) }
        guard bytes.count <= Self.byteCountMax else {
            throw DrupalFormatError(.tooLong, template: String(template.prefix(80)) + "…")
        }
        guard !bytes.contains(Ascii.lineFeed) else { throw DrupalFormatError(.lineFeed, template: template) }
        var fields: [DrupalField] = []
        var literals: [[UInt8]] = [[]]
        var position = 0
        while position < bytes.count {
            guard let field = Self.field(in: bytes, at: position) else {
                literals[literals.count - 1].append(bytes[position])
                position += 1
                continue
            }
            guard !fields.contains(field) else {
                throw DrupalFormatError(.repeatedToken("\(field.token)"), template: template)
            }
            if let previous = fields.last, literals.last?.isEmpty == true {
                throw DrupalFormatError(
                    .adjacentTokens("\(previous.token)", "\(field.token)"), template: template)
            }
            fields.append(field)
            literals.append([])
            position += field.token.utf8CodeUnitCount
        }
        guard !fields.isEmpty else { throw DrupalFormatError(.noToken, template: template) }
        self.init(fields: fields, literals: literals)
    }

    private init(fields: [DrupalField], literals: [[UInt8]]) {
        self.fields = fields
        self.literals = literals
        let inner = literals[1..<literals.count - 1]
        let isBare = literals[0].isEmpty && literals[literals.count - 1].isEmpty
        let first = inner.first ?? []
        separator = isBare && first.count == 1 && inner.allSatisfy { $0 == first } ? first[0] : nil
        anchorCountMin = min(2, fields.count { $0.isAnchor })
        if let uid = fields.firstIndex(of: .uid), let message = fields.firstIndex(of: .message), uid < message {
            uidCanBeForged = fields[..<uid].contains { $0.isHostile }
        } else {
            uidCanBeForged = false
        }
    }

    /// No token begins with another, so the order of the look-up does not matter.
    private static func field(in bytes: [UInt8], at position: Int) -> DrupalField? {
        guard bytes[position] == UInt8(ascii: "!") else { return nil }
        return bytes.withUnsafeBytes { bytes in
            DrupalField.allCases.first { bytes.begins(with: $0.token, at: position) }
        }
    }
}
