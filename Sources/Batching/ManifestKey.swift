// Where manifests lie: `<control prefix>commits/<stream creation, ms>/<shard>/<first, padded>.json`. Keys of one shard
// sort by sequence number, so the last in a listing is the newest commit.

package import CivilTime

/// The parts of a manifest's key.
package struct ManifestKey: Hashable, Sendable {
    package var shard: String
    package var first: SequenceNumber

    package init(shard: String, first: SequenceNumber) {
        self.shard = shard
        self.first = first
    }

    /// Below this lie the manifests of all shards of one stream.
    package static func prefix(controlPrefix: String, streamCreation: Timestamp) -> String {
        "\(controlPrefix)commits/\(streamCreation.milliseconds)/"
    }

    package func text(controlPrefix: String, streamCreation: Timestamp) -> String {
        Self.prefix(controlPrefix: controlPrefix, streamCreation: streamCreation) + "\(shard)/\(first.padded).json"
    }

    /// Reads a key from a listing of `prefix(…)`; nil when it is not one of ours.
    package init?(_ key: String, controlPrefix: String, streamCreation: Timestamp) {
        let prefix = Self.prefix(controlPrefix: controlPrefix, streamCreation: streamCreation)
        guard key.hasPrefix(prefix) else { return nil }
        let parts = key.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].hasSuffix(".json"),
            let first = SequenceNumber(padded: parts[1].dropLast(".json".count))
        else { return nil }
        self.init(shard: String(parts[0]), first: first)
    }
}

extension BatchManifest {
    package func key(controlPrefix: String) -> String {
        ManifestKey(shard: shard, first: first).text(controlPrefix: controlPrefix, streamCreation: streamCreation)
    }
}
