// A site's `syslog_format`, made ready for splitting: which fields stand in which order, and the text between them.
// Drupal replaces the tokens in one pass and escapes nothing, so every value may hold the text between the fields.

/// A compiled `drupal_format`.
package struct DrupalFormat: Sendable {
    package static let byteCountMax = 4_096

    /// In the order of the format, each once.
    let fields: [DrupalField]
    /// The text before the first field, between the fields and after the last one, one after the other.
    private let literalBytes: [UInt8]
    /// Where each of them ends: one more than there are fields.
    private let literalEnds: [Int]
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
        literalBytes = Array(literals.joined())
        literalEnds = literals.indices.map { literals[...$0].reduce(0) { $0 + $1.count } }
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

    /// Gives the format as pointers, so that splitting a line retains no array.
    func withPlan<Result>(_ body: (DrupalPlan) -> Result) -> Result {
        fields.withUnsafeBufferPointer { fields in
            literalBytes.withUnsafeBytes { bytes in
                literalEnds.withUnsafeBufferPointer { ends in
                    body(
                        DrupalPlan(
                            fields: fields, literalBytes: bytes, literalEnds: ends, anchorCountMin: anchorCountMin,
                            uidCanBeForged: uidCanBeForged))
                }
            }
        }
    }
}

/// A format for the time of one call.
struct DrupalPlan {
    let fields: UnsafeBufferPointer<DrupalField>
    let anchorCountMin: Int
    let uidCanBeForged: Bool
    /// The text around `!uid`; none in a format without it.
    let uidPrefix: Bytes
    let uidSuffix: Bytes
    private let literalBytes: Bytes
    private let literalEnds: UnsafeBufferPointer<Int>

    init(
        fields: UnsafeBufferPointer<DrupalField>, literalBytes: Bytes, literalEnds: UnsafeBufferPointer<Int>,
        anchorCountMin: Int, uidCanBeForged: Bool
    ) {
        self.fields = fields
        self.literalBytes = literalBytes
        self.literalEnds = literalEnds
        self.anchorCountMin = anchorCountMin
        self.uidCanBeForged = uidCanBeForged
        func literal(_ index: Int) -> Bytes {
            literalBytes.part(index == 0 ? 0 : literalEnds[index - 1], literalEnds[index])
        }
        let uid = fields.firstIndex(of: .uid)
        uidPrefix = uid.map { literal($0) } ?? .none
        uidSuffix = uid.map { literal($0 + 1) } ?? .none
    }

    /// The text before the field at `index`; after the last field for `fields.count`.
    @inline(__always)
    func literal(_ index: Int) -> Bytes {
        literalBytes.part(index == 0 ? 0 : literalEnds[index - 1], literalEnds[index])
    }

    /// The text that ends a field or, of the last one, begins it; none for a field that the format lacks.
    func separator(of field: DrupalField) -> Bytes {
        guard let index = fields.firstIndex(of: field) else { return .none }
        let after = literal(index + 1)
        return after.isEmpty ? literal(index) : after
    }
}
