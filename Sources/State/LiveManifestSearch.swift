// Has the job itself committed a batch on a shard, or are all its manifests from backfills?

import Batching
import Diagnostics

package struct LiveManifestSearch: Sendable {
    private let objects: any ControlStore
    private let identity: StateIdentity

    package init(objects: any ControlStore, identity: StateIdentity) {
        self.objects = objects
        self.identity = identity
    }

    /// Reads manifests until one is the job's own, the newest of each page first. Costs one call a manifest in the worst
    /// case: call it only when no other evidence is at hand.
    package func exists(on shard: String) async throws -> Bool {
        let prefix =
            ManifestKey.prefix(controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
            + "\(shard)/"
        var after: String?
        for _ in 0..<ManifestSurvey.pagesMax {
            let keys = try await objects.list(prefix: prefix, startAfter: after)
            guard let last = keys.last else { return false }
            for key in keys.reversed() {
                let place = ManifestKey(
                    key, controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
                guard let place, let document = try await objects.get(key: key, bytesMax: BatchManifest.bytesMax)
                else { continue }
                let facts = try ManifestFacts(
                    document.bytes, key: key, expecting: place, job: identity.job, stream: identity.stream)
                if facts.isLive { return true }
            }
            after = last
        }
        return false
    }
}
