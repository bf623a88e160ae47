// Kinesis sequence numbers: decimals of up to 129 digits (in practice 56). They are compared as whole numbers, by
// length and then by text, and never pass through Int64 or Double.

/// A sequence number as Kinesis writes it: `0|([1-9]\d{0,128})` (Kinesis API reference, SequenceNumber).
package struct SequenceNumber: Hashable, Sendable, CustomStringConvertible {
    package static let digitsMax = 129
    /// Width in keys: the 56 digits of today with room, so that keys of one shard sort by number.
    package static let paddedWidth = 64

    package let text: String

    /// Nil unless `text` is a decimal without leading zeros, of 1 to 129 digits.
    package init?(_ text: String) {
        let digits = text.utf8
        guard (1...Self.digitsMax).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.first != 0x30 || digits.count == 1
        else { return nil }
        self.text = text
    }

    /// Reads the form that keys use; nil when it is not that form.
    package init?(padded: Substring) {
        guard padded.utf8.count >= Self.paddedWidth else { return nil }
        let digits = padded.drop { $0 == "0" }
        self.init(digits.isEmpty ? "0" : String(digits))
        guard self.padded == padded else { return nil }
    }

    /// Zero-padded to 64 digits; longer numbers, which Kinesis does not use, stay as they are.
    package var padded: String {
        String(repeating: "0", count: max(0, Self.paddedWidth - text.utf8.count)) + text
    }

    package var description: String { text }
}

extension SequenceNumber: Comparable {
    package static func < (a: SequenceNumber, b: SequenceNumber) -> Bool {
        let (lengthA, lengthB) = (a.text.utf8.count, b.text.utf8.count)
        return lengthA != lengthB ? lengthA < lengthB : a.text < b.text
    }
}

extension SequenceNumber: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let number = SequenceNumber(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a sequence number"))
        }
        self = number
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
