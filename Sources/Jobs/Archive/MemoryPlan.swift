// Divides `limits.memory` among the shards that run side by side. Pure: the same settings give the same plan on
// every host, because the chunk size is part of what makes objects byte-identical.

/// How much each shard may hold. Sizes in bytes.
package struct MemoryPlan: Sendable, Equatable {
    /// The process itself: code, libraries, connections, SQLite.
    package static let base = 64 << 20
    /// One shard's page of records, its decoding and its compressor: a 10 MiB page is 14 MiB of JSON.
    package static let perShard = 40 << 20
    /// Kept per open object besides its rows: names, hashes.
    package static let perObject = 8 << 10
    /// The least that an open object needs for its rows: 16 KiB, and 32 KiB that zlib refers back to.
    package static let rowsBytesMin = 48 << 10
    package static let chunkBytesMin = 16 << 10
    package static let chunkBytesMax = 1 << 20

    /// The least `limits.memory` for these settings, in bytes.
    package static func memoryMin(shards: Int, partitions: Int) -> Int {
        base + shards * (perShard + partitions * (perObject + rowsBytesMin))
    }

    /// Rows that an open object collects at most before they are compressed.
    package var chunkBytes: Int
    /// Memory for the rows that wait in all open objects of a shard; when it is used up, the largest are compressed.
    package var rowsBytes: Int

    /// - Parameters:
    ///   - memory: `limits.memory` in bytes.
    ///   - shards: `limits.parallel_shards`.
    ///   - partitions: `seal.partitions`.
    ///   - sealBytes: `seal.bytes`: an object passes it by a chunk at most.
    package init(memory: Int, shards: Int, partitions: Int, sealBytes: Int) {
        let share = (memory - Self.base) / max(1, shards) - Self.perShard
        rowsBytes = max(Self.rowsBytesMin, share - partitions * Self.perObject)
        // A power of two keeps small changes of other settings from moving chunk edges.
        var bytes = Self.chunkBytesMin
        while bytes * 2 <= min(sealBytes, Self.chunkBytesMax) { bytes *= 2 }
        chunkBytes = bytes
    }
}
