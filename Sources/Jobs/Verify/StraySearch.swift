// What lies below the prefix of the objects and in no manifest. A batch that is under way has objects before it has a
// manifest, so every candidate is looked at twice.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

struct StraySearch {
    /// Manifests that are remembered while candidates are looked at.
    private static let rememberedMax = 1_000

    let walk: ArchiveWalk
    let file: ArchiveJobFile
    let dependencies: ArchiveDependencies
    /// The job's state as it is now; nil when there is none on this host.
    let readState: () throws -> StateSnapshot?

    func search() async throws {
        var done: [String] = []
        for prefix in walk.prefixes.sorted() where !done.contains(where: prefix.hasPrefix) {
            done.append(prefix)
            try await search(below: prefix)
        }
    }

    private func search(below prefix: String) async throws {
        var token: String?
        for _ in 0..<ArchiveWalk.pagesMax where dependencies.stop.requested == nil {
            let from = token
            let page = try await walk.calls.patiently {
                try await dependencies.s3.listPage(prefix: prefix, token: from)
            }
            let candidates = page.objects.map(\.key).filter {
                !walk.named.contains($0) && !$0.hasPrefix(file.destination.controlPrefix)
            }
            if !candidates.isEmpty { try await settle(candidates, prefix: prefix) }
            guard let next = page.nextToken else { return }
            token = next
        }
    }

    private func settle(_ candidates: [String], prefix: String) async throws {
        // First the plans, then the manifests: a batch that is committed in between is seen in one of them.
        let planned = try await openKeys()
        var manifests: [ManifestPlace: Set<String>] = [:]
        for key in candidates {
            guard let name = ObjectName(key: key, stream: file.source.stream.name) else {
                // Below no prefix of its own everything in the bucket is listed; only what looks like ours is judged.
                if prefix.isEmpty || ObjectName.isObjectOfAnyStream(key: key) {
                    walk.report.objectsForeign += 1
                } else {
                    tell(key, shard: nil, "its name is none that sluice gives")
                }
                continue
            }
            if planned.contains(key) {
                walk.report.objectsOpen += 1
                continue
            }
            if isAttributed(name) { continue }
            if try await isNamedByNow(key, name, &manifests) { continue }
            tell(key, shard: name.shard, "no manifest and no open batch names it")
        }
    }

    private func tell(_ key: String, shard: String?, _ detail: String) {
        walk.report.add(Finding(.strayObject, shard: shard, key: key, detail: detail, hint: Hints.stray))
    }

    /// Objects of batches that are planned and not committed.
    private func openKeys() async throws -> Set<String> {
        var keys: Set<String> = []
        // A state that cannot be read has been noted already.
        if let state = try? readState(), state.identity.job == file.name {
            keys.formUnion(state.intents.flatMap { $0.objects.map(\.key) })
        }
        keys.formUnion(try await walk.promisedKeys())
        return keys
    }

    /// True when the object belongs to a manifest that was found lost or doubtful: it is no damage of its own.
    private func isAttributed(_ name: ObjectName) -> Bool {
        walk.streams.contains { stream in
            let place = ManifestPlace(
                streamCreation: stream, key: ManifestKey(shard: name.shard, first: name.first))
            if walk.doubtful.contains(place) { return true }
            let holes = walk.holes[ShardProof.Place(streamCreation: stream, shard: name.shard)] ?? []
            return holes.contains { $0.contains(name.first) }
        }
    }

    /// True when a manifest names it that was not there yet when the manifests went by.
    private func isNamedByNow(
        _ key: String, _ name: ObjectName, _ manifests: inout [ManifestPlace: Set<String>]
    ) async throws -> Bool {
        for stream in walk.streams.sorted() {
            let place = ManifestPlace(
                streamCreation: stream, key: ManifestKey(shard: name.shard, first: name.first))
            if let known = manifests[place] {
                if known.contains(key) { return true }
                continue
            }
            let text = place.text(controlPrefix: file.destination.controlPrefix)
            let found = try await walk.calls.patiently {
                try await dependencies.s3.getObject(key: text, bytesMax: BatchManifest.bytesMax)
            }
            var keys: Set<String> = []
            if let found, case .success(let judged) = walk.judge.judge(found.bytes, at: place) {
                keys = Set(judged.manifest.objects.map(\.key))
            }
            if manifests.count < Self.rememberedMax { manifests[place] = keys }
            if keys.contains(key) { return true }
        }
        return false
    }
}
