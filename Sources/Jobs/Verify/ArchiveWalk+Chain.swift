// Manifest after manifest of one shard, and what stands between them.

import AWS
import Batching
import CivilTime
import Diagnostics

extension ArchiveWalk {
    func enter(_ place: ManifestPlace, _ proof: inout ShardProof?) async throws {
        let shard = ShardProof.Place(streamCreation: place.streamCreation, shard: place.key.shard)
        if proof?.place == shard { return }
        if let proof { conclude(proof) }
        guard report.shards < Self.shardsMax else {
            throw ArchiveError(
                "verify", file.name, "there are manifests of more than \(Self.shardsMax) shards",
                exitCode: .internalFault)
        }
        streams.insert(place.streamCreation)
        proof = ShardProof(place: shard, joined: try await ledger(of: shard)?.joined ?? [])
    }

    /// What backfills of the shard have noted; nil when there was none.
    /// - Parameter isSure: ask also when there was no ledger when the walk began.
    func ledger(of shard: ShardProof.Place, isSure: Bool = false) async throws -> BackfillLedger? {
        let key = BackfillLedger.key(
            controlPrefix: controlPrefix, streamCreation: Timestamp(milliseconds: shard.streamCreation),
            shard: shard.shard)
        guard isSure || ledgers.contains(key) else { return nil }
        let found = try await calls.patiently {
            try await dependencies.s3.getObject(key: key, bytesMax: BackfillLedger.bytesMax)
        }
        return try found.map { try BackfillLedger.decode($0.bytes) }
    }

    /// Objects that running or killed backfills may have stored and not committed.
    func promisedKeys() async throws -> Set<String> {
        var keys: Set<String> = []
        try await eachPage(below: BackfillLedger.folder(controlPrefix: controlPrefix)) { page in
            for key in page {
                let found = try await calls.patiently {
                    try await dependencies.s3.getObject(key: key, bytesMax: BackfillLedger.bytesMax)
                }
                if let found { keys.formUnion(try BackfillLedger.decode(found.bytes).openKeys) }
            }
        }
        return keys
    }

    func link(_ judged: JudgedManifest, _ key: String, _ proof: inout ShardProof?) async throws {
        guard var current = proof else { return }
        current.parents.formUnion(judged.manifest.parents)
        for fault in current.chain.add(ChainLink(judged, key: key)) {
            // A backfill may have come this far since its ledger was read.
            if case .gap = fault.kind, let after = fault.after, let before = fault.before,
                try await ledger(of: current.place, isSure: true)?.joined
                    .contains(BackfillLedger.Joined(after: after, before: before)) == true
            {
                continue
            }
            tell(fault, current.place, parents: current.parents)
        }
        proof = current
    }

    func tell(_ fault: ChainFault, _ place: ShardProof.Place, parents: Set<String>) {
        // The beginning of a shard is the end of its parents; the end of an archive is now.
        let parentsEnd = parents.compactMap { parent in
            lastArrivals[ShardProof.Place(streamCreation: place.streamCreation, shard: parent)]
        }.min()
        let from = fault.from ?? parentsEnd ?? Timestamp(milliseconds: place.streamCreation)
        let around = Window(around: from, fault.to ?? stream.now)
        if let window = options.window, !window.overlaps(around.from, around.to) { return }
        func add(_ kind: FindingKind, _ hint: String, backfill: Window?) {
            report.add(
                Finding(
                    kind, shard: place.shard, key: fault.key, detail: fault.detail, hint: hint, backfill: backfill))
        }
        switch fault.kind {
        case .noted(let gap):
            report.add(
                VerifyNote(
                    .notedGap, shard: place.shard, detail: GapProblem.error(gap, shard: place.shard).diagnostic.cause,
                    gap: gap))
        case .manifestMissing:
            holes[place, default: []].append(ShardProof.Hole(after: fault.after, before: fault.before))
            add(.manifestMissing, Hints.lostManifest, backfill: around)
        case .gap:
            holes[place, default: []].append(ShardProof.Hole(after: fault.after, before: fault.before))
            add(.gap, Hints.gap, backfill: around)
        case .rangeDoubled: add(.rangeDoubled, Hints.doubled, backfill: nil)
        case .chainBroken: add(.chainBroken, Hints.doubled, backfill: around)
        case .forged: add(.manifestForged, Hints.badManifest, backfill: nil)
        }
    }

    func conclude(_ proof: ShardProof, parents: [String] = []) {
        report.shards += 1
        if let shard = proof.archived, proof.place.streamCreation == stream.creation?.milliseconds {
            archived.append(shard)
        }
        if let arrival = proof.chain.lastArrival { lastArrivals[proof.place] = arrival }
        let state = expected.removeValue(forKey: proof.place)
        var checkpoint: SequenceNumber?
        if case .after(let sequence) = state?.position { checkpoint = sequence }
        if let fault = proof.chain.finish(expected: state?.lastManifest, checkpoint: checkpoint) {
            tell(fault, proof.place, parents: proof.parents.union(state?.parents ?? []).union(parents))
        }
    }
}
