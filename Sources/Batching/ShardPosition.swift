// Where reading of a shard resumes. Only what is committed in S3 ever becomes a position.

/// The stored position of a shard: everything before it is archived (or was not asked for).
package enum ShardPosition: Hashable, Sendable {
    /// Nothing is archived yet; begin with the oldest record.
    case trimHorizon
    /// Nothing is archived yet; begin with records that arrived at or after this, in milliseconds since 1970.
    case timestamp(Int64)
    /// The record with this number and all before it are archived.
    case after(SequenceNumber)
    /// The shard is closed and wholly archived, or was left out by the job's `start`.
    case ended
}

extension ShardPosition: CustomStringConvertible {
    /// `trim_horizon`, `timestamp:1700000000000`, `after:4957…` or `ended`: as state stores and markers keep it.
    package var description: String {
        switch self {
        case .trimHorizon: "trim_horizon"
        case .timestamp(let milliseconds): "timestamp:\(milliseconds)"
        case .after(let sequence): "after:\(sequence.text)"
        case .ended: "ended"
        }
    }

    /// Reads `description` back; nil when it is anything else.
    package init?(_ text: String) {
        let sides = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (sides[0], sides.count) {
        case ("trim_horizon", 1): self = .trimHorizon
        case ("ended", 1): self = .ended
        case ("timestamp", 2):
            guard let milliseconds = Int64(sides[1]), String(milliseconds) == sides[1] else { return nil }
            self = .timestamp(milliseconds)
        case ("after", 2):
            guard let sequence = SequenceNumber(String(sides[1])) else { return nil }
            self = .after(sequence)
        default: return nil
        }
    }
}

extension ShardPosition: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let position = ShardPosition(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a shard position"))
        }
        self = position
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
