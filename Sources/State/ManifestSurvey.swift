// Reads back from the manifests where each shard stands: the last one of each shard says it. Their chain is checked
// where it costs nothing; `sluice verify` checks all of it.

import Batching
import CivilTime
import Diagnostics

struct ManifestSurvey {
    /// No stream has more shards within its retention.
    static let shardsMax = 100_000
    /// Pages of a listing; S3 gives 1,000 keys in each.
    static let pagesMax = 100_000

    let objects: any ControlStore
    let identity: StateIdentity

    /// The last two manifest keys of a shard.
    private struct Tail {
        var count = 0
        var last: String
        var beforeLast: String?
    }

    struct Result {
        var shards: [ShardState]
        /// Arrival of the last archived record of each shard; the counts of the lost state are lost.
        var lastArrivals: [String: Timestamp]
        var manifestCount: Int
    }

    func run(start: StartSet?) async throws -> Result {
        let tails = try await list()
        var shards: [String: ShardState] = [:]
        var lastArrivals: [String: Timestamp] = [:]
        var endedParents: Set<String> = []
        for (shard, tail) in tails.sorted(by: { $0.key < $1.key }) {
            let manifest = try await lastManifest(of: shard, tail)
            guard try await isReadByJob(shard, last: manifest, start: start) else { continue }
            // A shard is read only after its parents have ended.
            endedParents.formUnion(manifest.parents)
            let horizon = manifest.backfill == nil ? manifest.horizon ?? manifest.lastArrival : nil
            shards[shard] = ShardState(
                id: shard, parents: manifest.parents, position: .after(manifest.last), horizon: horizon,
                lastManifest: tail.last)
            lastArrivals[shard] = manifest.lastArrival
        }
        for (shard, position) in start?.positions ?? [:] where shards[shard] == nil {
            shards[shard] = ShardState(id: shard, position: position)
        }
        for parent in endedParents {
            if shards[parent] == nil { shards[parent] = ShardState(id: parent, position: .ended) }
            shards[parent]?.position = .ended
        }
        return Result(
            shards: shards.values.sorted { $0.id < $1.id }, lastArrivals: lastArrivals,
            manifestCount: tails.values.reduce(0) { $0 + $1.count })
    }

    /// False when all manifests of the shard come from backfills and the first run decided where the job itself begins:
    /// that decision still stands.
    private func isReadByJob(_ shard: String, last: BatchManifest, start: StartSet?) async throws -> Bool {
        guard last.backfill != nil, let position = start?.positions[shard], position != .trimHorizon else {
            return true
        }
        return try await LiveManifestSearch(objects: objects, identity: identity).exists(on: shard)
    }

    private func list() async throws -> [String: Tail] {
        let prefix = ManifestKey.prefix(
            controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
        var tails: [String: Tail] = [:]
        var after: String?
        for _ in 0..<Self.pagesMax {
            let page = try await objects.list(prefix: prefix, startAfter: after)
            guard let last = page.last else { return tails }
            for text in page {
                guard let key = manifestKey(text) else { continue }
                let before = tails[key.shard]
                tails[key.shard] = Tail(count: (before?.count ?? 0) + 1, last: text, beforeLast: before?.last)
            }
            guard tails.count <= Self.shardsMax, after.map({ $0 < last }) ?? true else { break }
            after = last
        }
        throw StateError(
            .io, "list manifests", prefix, "the listing does not end or names more than \(Self.shardsMax) shards",
            hint: "look at what lies under this prefix; nothing but sluice should write there")
    }

    private func manifestKey(_ key: String) -> ManifestKey? {
        ManifestKey(key, controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
    }

    private func lastManifest(of shard: String, _ tail: Tail) async throws -> BatchManifest {
        let manifest = try await read(tail.last)
        if let before = tail.beforeLast, manifest.previous != before, manifest.backfill == nil,
            try await read(before).backfill == nil
        {
            throw damaged(
                tail.last,
                "it follows \(manifest.previous ?? "no other manifest"), but the one before it in the bucket is \(before)"
            )
        }
        return manifest
    }

    private func read(_ key: String) async throws -> BatchManifest {
        guard let document = try await objects.get(key: key, bytesMax: BatchManifest.bytesMax) else {
            throw damaged(key, "it was listed and is gone")
        }
        let manifest: BatchManifest
        do {
            manifest = try BatchManifest.decode(document.bytes)
        } catch {
            throw damaged(key, error.cause)
        }
        guard manifest.key(controlPrefix: identity.controlPrefix) == key, manifest.job == identity.job,
            manifest.stream == identity.stream
        else { throw damaged(key, "its content belongs to another key, job or stream") }
        return manifest
    }

    private func damaged(_ key: String, _ cause: String) -> StateError {
        StateError(
            .corrupt, "read manifest", "s3://\(identity.bucket)/\(key)", cause,
            hint: "`sluice verify JOB` shows which manifests are damaged or missing")
    }
}
