// Where a listed key says its manifest belongs, for every stream of that name that the job has read.

import CivilTime

package struct ManifestPlace: Hashable, Sendable {
    /// Creation of the stream, in milliseconds since 1970.
    package var streamCreation: Int64
    package var key: ManifestKey

    package init(streamCreation: Int64, key: ManifestKey) {
        self.streamCreation = streamCreation
        self.key = key
    }

    /// Below this lie the manifests of all streams.
    package static func prefix(controlPrefix: String) -> String { "\(controlPrefix)commits/" }

    /// Nil when the key is none that sluice writes.
    package init?(_ text: String, controlPrefix: String) {
        let prefix = Self.prefix(controlPrefix: controlPrefix)
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count).prefix { $0 != "/" }
        guard let creation = Int64(digits), String(creation) == digits,
            let key = ManifestKey(
                text, controlPrefix: controlPrefix, streamCreation: Timestamp(milliseconds: creation))
        else { return nil }
        self.init(streamCreation: creation, key: key)
    }

    package func text(controlPrefix: String) -> String {
        key.text(controlPrefix: controlPrefix, streamCreation: Timestamp(milliseconds: streamCreation))
    }
}

/// What an object's key says of its batch: the part after the rendered prefix, read backwards.
package struct ObjectName: Hashable, Sendable {
    /// As the key has them, percent-encoded where a name holds odd bytes.
    package var stream: String
    package var shard: String
    package var first: SequenceNumber

    /// Reads `<prefix><stream>-<shard>-<first, padded>.ndjson.gz`; nil when the key does not end like that.
    ///
    /// - Parameter stream: its name; a name and a shard id may both hold hyphens, so it takes one of them to tell.
    package init?(key: String, stream: String) {
        let encoded = PartitionValue.encode(text: stream)
        guard let parts = Self.split(key), parts.owner.hasPrefix(encoded + "-") else { return nil }
        self.stream = encoded
        shard = String(parts.owner.dropFirst(encoded.count + 1))
        first = parts.first
        guard !shard.isEmpty else { return nil }
    }

    /// True when the key ends as those of any stream do.
    package static func isObjectOfAnyStream(key: String) -> Bool { split(key).map { $0.owner.contains("-") } ?? false }

    private static func split(_ key: String) -> (owner: String, first: SequenceNumber)? {
        let name = key.suffix(from: key.lastIndex(of: "/").map { key.index(after: $0) } ?? key.startIndex)
        guard name.hasSuffix(objectKeySuffix) else { return nil }
        let stem = name.dropLast(objectKeySuffix.count)
        guard let hyphen = stem.lastIndex(of: "-"),
            let first = SequenceNumber(padded: stem[stem.index(after: hyphen)...])
        else { return nil }
        return (String(stem[..<hyphen]), first)
    }
}
