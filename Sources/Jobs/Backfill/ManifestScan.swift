// Lets the manifests of a stream go by in the order of their keys, each shard's into its plan. Keys are listed a page at
// a time; pages before the range cost one manifest, and what comes after it in a shard is not listed. Only what lies in
// the range is read, some manifests at a time, and none is kept.

import Batching
import CivilTime
import Diagnostics
import State

struct ManifestScan: Sendable {
    /// Manifests that are read side by side, and how many wait to be taken in order.
    static let readsMax = 16
    static let windowMax = 64
    static let pagesMax = 100_000

    let objects: any ControlStore
    let identity: StateIdentity
    let range: TimeRange
    /// What stands in the bucket of the job's runs; nil when none has stored anything.
    let marker: OwnerMarker?
    let dependencies: ArchiveDependencies

    struct Result: Sendable {
        var plans: [String: RangePlan] = [:]
        var manifests = 0
    }

    /// Plans of all shards that have manifests. Their tails are still open.
    func all() async throws -> Result {
        try await scan(below: prefix)
    }

    /// The plan of one shard, made anew.
    func one(_ shard: String) async throws -> RangePlan {
        if let plan = try await scan(below: "\(prefix)\(shard)/").plans[shard] { return plan }
        return try await begin(shard)
    }

    /// An empty plan: what is known before the first manifest.
    func begin(_ shard: String) async throws -> RangePlan {
        let key = BackfillLedger.key(
            controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation, shard: shard)
        let document = try await dependencies.patiently {
            try await objects.get(key: key, bytesMax: BackfillLedger.bytesMax)
        }
        return RangePlan(
            range: range, beginning: marker?.start?.positions[shard] == nil ? .oldest : .open,
            ledger: try document.map { try BackfillLedger.decode($0.bytes) }, controlPrefix: identity.controlPrefix)
    }

    private var prefix: String {
        ManifestKey.prefix(controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
    }

    private func scan(below prefix: String) async throws -> Result {
        var result = Result()
        var after: String?
        for _ in 0..<Self.pagesMax {
            if dependencies.stop.requested != nil { return result }
            let startAfter = after
            let keys = try await dependencies.patiently {
                try await objects.list(prefix: prefix, startAfter: startAfter)
            }
            guard let last = keys.last else { return result }
            guard after.map({ $0 < last }) ?? true else { break }
            after = last
            let runs = runs(keys)
            for run in runs {
                var plan: RangePlan
                if let known = result.plans[run.shard] { plan = known } else { plan = try await begin(run.shard) }
                result.manifests += try await take(run, into: &plan)
                result.plans[run.shard] = plan
                // "0" follows "/": the next key listed is of another shard.
                if plan.isPast, run.shard == runs.last?.shard { after = max(last, "\(self.prefix)\(run.shard)0") }
            }
        }
        throw StateError(
            .io, "list manifests", prefix, "the listing does not end",
            hint: "look at what lies under this prefix; nothing but sluice should write there")
    }

    private struct Run {
        var shard: String
        var keys: [(text: String, place: ManifestKey)]
    }

    /// Neighbouring keys of one shard; what is no manifest's key is passed over.
    private func runs(_ keys: [String]) -> [Run] {
        var runs: [Run] = []
        for text in keys {
            let place = ManifestKey(
                text, controlPrefix: identity.controlPrefix, streamCreation: identity.streamCreation)
            guard let place else { continue }
            if runs.last?.shard != place.shard { runs.append(Run(shard: place.shard, keys: [])) }
            runs[runs.count - 1].keys.append((text, place))
        }
        return runs
    }

    /// - Returns: how many manifests were read.
    private func take(_ run: Run, into plan: inout RangePlan) async throws -> Int {
        guard !plan.isPast, let last = run.keys.last else { return 0 }
        if let facts = try await read(last.text, last.place), plan.mayBeginAfter(facts) {
            plan.skip(to: facts)
            return 1
        }
        var count = 0
        var next = 0
        while next < run.keys.count, !plan.isPast, dependencies.stop.requested == nil {
            let window = run.keys[next..<min(next + Self.windowMax, run.keys.count)]
            next = window.endIndex
            for case let facts? in try await read(window) where !plan.isPast {
                plan.add(facts)
                count += 1
            }
        }
        return count
    }

    private func read(_ window: ArraySlice<(text: String, place: ManifestKey)>) async throws -> [ManifestFacts?] {
        try await withThrowingTaskGroup(of: (Int, ManifestFacts?).self) { group in
            var found = [ManifestFacts?](repeating: nil, count: window.count)
            var next = 0
            func start() {
                guard next < window.count else { return }
                let index = next
                let (text, place) = window[window.startIndex + index]
                group.addTask { (index, try await read(text, place)) }
                next += 1
            }
            for _ in 0..<Self.readsMax { start() }
            while let (index, facts) = try await group.next() {
                found[index] = facts
                start()
            }
            return found
        }
    }

    /// Nil when it was listed and is gone.
    private func read(_ key: String, _ place: ManifestKey) async throws -> ManifestFacts? {
        let document = try await dependencies.patiently {
            try await objects.get(key: key, bytesMax: BatchManifest.bytesMax)
        }
        guard let document else { return nil }
        return try ManifestFacts(
            document.bytes, key: key, expecting: place, job: identity.job, stream: identity.stream)
    }
}
