// What the manifests in the fake bucket say, held against what was put on the stream.

import CivilTime
import Foundation
import Testing

@testable import Batching

struct FakeAudit {
    /// How often each record is in a batch, by sequence number.
    private(set) var covered: [Int: Int] = [:]
    /// Records in batches of backfills.
    private(set) var filled: Set<Int> = []
    private(set) var manifests: [String: BatchManifest] = [:]
    private(set) var openClaims = 0
    private(set) var problems: [String] = []
    private(set) var strays: Set<String> = []

    init(_ cloud: FakeCloud) throws {
        let records = cloud.records
        for key in cloud.keys("\(FakeHost.controlPrefix)commits/") {
            let manifest = try BatchManifest.decode(try #require(cloud.bytes(key)))
            manifests[key] = manifest
            let (first, last) = (Int(manifest.first.text) ?? 0, Int(manifest.last.text) ?? 0)
            let inside = records.filter { $0.shard == manifest.shard && (first...last).contains($0.sequence) }
            if inside.count != manifest.records || manifest.rows != manifest.records {
                problems.append("\(key) says \(manifest.records) records; there are \(inside.count)")
            }
            for record in inside {
                covered[record.sequence, default: 0] += 1
                if manifest.backfill != nil { filled.insert(record.sequence) }
            }
            for object in manifest.objects where cloud.bytes(object.key)?.count != object.bytes {
                problems.append("\(object.key) is not there as \(key) says")
            }
        }
        for (sequence, count) in covered where count > 1 { problems.append("\(sequence) is in \(count) batches") }
        let named = Set(manifests.values.flatMap { $0.objects.map(\.key) })
        strays = Set(cloud.keys("d/")).subtracting(named)
        var joined: [String: [BackfillLedger.Joined]] = [:]
        for key in cloud.keys("\(FakeHost.controlPrefix)backfill/") {
            let ledger = try BackfillLedger.decode(try #require(cloud.bytes(key)))
            openClaims += ledger.claims.count
            joined[ledger.shard] = ledger.joined
        }
        checkLinks(records, joined)
    }

    /// Neighbours that are said to leave nothing out must leave nothing out.
    private mutating func checkLinks(_ records: [FakeRecord], _ joined: [String: [BackfillLedger.Joined]]) {
        for (shard, found) in Dictionary(grouping: manifests, by: { $0.value.shard }) {
            let link = ManifestLink(joined: joined[shard] ?? [])
            let sorted = found.sorted { $0.key < $1.key }
            for (earlier, later) in zip(sorted, sorted.dropFirst()) {
                guard link.isProven(facts(earlier.value, earlier.key), facts(later.value, later.key)) else { continue }
                let (from, to) = (Int(earlier.value.last.text) ?? 0, Int(later.value.first.text) ?? 0)
                if records.contains(where: { $0.shard == shard && $0.sequence > from && $0.sequence < to }) {
                    problems.append("\(later.key) is linked to \(earlier.key) and does not follow it")
                }
            }
        }
    }

    private func facts(_ manifest: BatchManifest, _ key: String) -> ManifestFacts {
        let intent = BatchIntent(
            job: manifest.job, stream: manifest.stream, streamCreation: manifest.streamCreation,
            shard: manifest.shard, parents: manifest.parents, first: manifest.first, last: manifest.last,
            records: manifest.records, previousManifest: manifest.previous, objects: [],
            firstArrival: manifest.firstArrival, lastArrival: manifest.lastArrival, firstEvent: manifest.firstEvent,
            lastEvent: manifest.lastEvent, statusCounts: [:], gap: manifest.gap, backfill: manifest.backfill,
            settings: manifest.settings, createdBy: manifest.createdBy)
        return ManifestFacts(promisedBy: intent, key: key)
    }
}
