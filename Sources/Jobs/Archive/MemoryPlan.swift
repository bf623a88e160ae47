// Divides `limits.memory` among the shards that run side by side. Pure: the same settings give the same plan on
// every host, because the chunk size is part of what makes objects byte-identical.

/// How much each shard may hold. Sizes in bytes.
package struct MemoryPlan: Sendable, Equatable {
    /// The process itself: code, libraries, connections, SQLite.
    package static let base = 64 << 20
    /// One shard's page of records, its decoding and its compressor: a 10 MiB page is 14 MiB of JSON.
    package static let perShard = 40 << 20
    /// Kept per open object besides its chunk: names, hashes, the 32 KiB dictionary.
    package static let perObject = 40 << 10
    package static let chunkBytesMin = 16 << 10
    package static let chunkBytesMax = 128 << 10

    /// The least `limits.memory` for these settings, in bytes.
    package static func memoryMin(shards: Int, partitions: Int) -> Int {
        base + shards * (perShard + partitions * (perObject + chunkBytesMin))
    }

    /// Rows that an open object collects before they are compressed.
    package var chunkBytes: Int

    /// - Parameters:
    ///   - memory: `limits.memory` in bytes.
    ///   - shards: `limits.parallel_shards`.
    ///   - partitions: `seal.partitions`.
    package init(memory: Int, shards: Int, partitions: Int) {
        let share = (memory - Self.base) / max(1, shards) - Self.perShard
        let each = share / max(1, partitions) - Self.perObject
        // A power of two keeps small changes of other settings from moving chunk edges.
        var bytes = Self.chunkBytesMin
        while bytes * 2 <= min(each, Self.chunkBytesMax) { bytes *= 2 }
        chunkBytes = bytes
    }
}
