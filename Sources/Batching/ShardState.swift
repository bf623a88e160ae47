package import CivilTime

/// What is known of one shard between runs.
package struct ShardState: Codable, Sendable, Equatable {
    package var id: String
    /// None for a root, one after a split, two after a merge. Parents may have expired from the stream.
    package var parents: [String]
    package var position: ShardPosition
    /// Everything that arrived on the shard before this instant has been read and committed; nil while it was never
    /// read. A child begins with an instant at which its parents were still open.
    package var horizon: Timestamp?
    /// Key of the shard's newest manifest.
    package var lastManifest: String?

    package init(
        id: String, parents: [String] = [], position: ShardPosition, horizon: Timestamp? = nil,
        lastManifest: String? = nil
    ) {
        self.id = id
        self.parents = parents
        self.position = position
        self.horizon = horizon
        self.lastManifest = lastManifest
    }
}

/// A shard as ListShards gives it.
package struct ListedShard: Sendable, Equatable {
    package var id: String
    /// ParentShardId and AdjacentParentShardId, where present.
    package var parents: [String]
    /// True while it has no EndingSequenceNumber.
    package var isOpen: Bool

    package init(id: String, parents: [String] = [], isOpen: Bool) {
        self.id = id
        self.parents = parents
        self.isOpen = isOpen
    }
}
