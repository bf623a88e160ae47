// What backfills of one shard have agreed on: `<control prefix>backfill/<stream creation, ms>/<shard>.json`. It is only
// ever replaced by compare-and-swap, and each version has a higher generation, so two versions never have equal bytes.
// A batch is claimed here, with its whole plan, before anything of it is uploaded. Claims never overlap one another or
// a manifest, and a claim leaves only when its manifest is there: so no two backfills can ever commit one record twice,
// and whoever meets the claim of a dead one can finish it.

package import CivilTime

package struct BackfillLedger: Codable, Sendable, Equatable {
    package static let formatVersion = 1
    /// Open batches of one shard: one for each backfill that works on it, or that died on it.
    package static let claimsMax = 8
    /// Older facts are forgotten: they can be found again by reading, or are about records that have expired.
    package static let joinedMax = 10_000
    package static let bytesMax = claimsMax * BatchManifest.bytesMax + (4 << 20)

    /// A batch that is promised: anyone may carry out its plan, and nobody may plan its records again.
    package struct Claim: Codable, Sendable, Equatable {
        /// Random: tells a claim whose answer was lost from somebody else's.
        package var id: String
        package var intent: BatchIntent

        package init(id: String, intent: BatchIntent) {
            self.id = id
            self.intent = intent
        }
    }

    /// The shard has no record between these two: found by reading where manifests alone do not say it.
    package struct Joined: Codable, Sendable, Hashable {
        package var after: SequenceNumber
        package var before: SequenceNumber

        package init(after: SequenceNumber, before: SequenceNumber) {
            self.after = after
            self.before = before
        }
    }

    package var version = BackfillLedger.formatVersion
    package var job: String
    package var stream: String
    package var streamCreation: Timestamp
    package var shard: String
    package var generation: Int64 = 0
    /// Sorted by their first record.
    package var claims: [Claim] = []
    /// Sorted.
    package var joined: [Joined] = []

    package init(job: String, stream: String, streamCreation: Timestamp, shard: String) {
        self.job = job
        self.stream = stream
        self.streamCreation = streamCreation
        self.shard = shard
    }

    /// Below this lie the ledgers of all shards.
    package static func folder(controlPrefix: String) -> String { "\(controlPrefix)backfill/" }

    package static func key(controlPrefix: String, streamCreation: Timestamp, shard: String) -> String {
        "\(folder(controlPrefix: controlPrefix))\(streamCreation.milliseconds)/\(shard).json"
    }

    /// Keys that claimed batches may have stored already.
    package var openKeys: [String] { claims.flatMap { $0.intent.objects.map(\.key) } }

    /// The claim that holds any record from `first` to `last`.
    package func claim(touching first: SequenceNumber, through last: SequenceNumber) -> Claim? {
        claims.first { $0.intent.first <= last && first <= $0.intent.last }
    }

    /// The next version with one claim more. The caller has made sure that no claim and no manifest touches it.
    package mutating func add(_ claim: Claim) {
        generation += 1
        claims.append(claim)
        claims.sort { $0.intent.first < $1.intent.first }
    }

    /// The next version without the claims of batches whose manifests exist, and with what reading has shown.
    /// - Returns: false when that changes nothing.
    package mutating func settle(committed: Set<SequenceNumber>, joined found: [Joined]) -> Bool {
        let kept = claims.filter { !committed.contains($0.intent.first) }
        let new = found.filter { !joined.contains($0) }
        guard kept.count < claims.count || !new.isEmpty else { return false }
        generation += 1
        claims = kept
        joined = Set(joined + new).sorted { ($0.after, $0.before) < ($1.after, $1.before) }.suffix(Self.joinedMax)
        return true
    }

    package func canonicalBytes() throws(DocumentError) -> [UInt8] {
        try CanonicalJSON.encode(self, as: "backfill ledger of \(shard)")
    }

    package static func decode(_ bytes: [UInt8]) throws(DocumentError) -> BackfillLedger {
        try CanonicalJSON.decode(BackfillLedger.self, from: bytes, versionMax: formatVersion, as: "backfill ledger")
    }

    enum CodingKeys: String, CodingKey {
        case version = "format_version"
        case job, stream, shard, generation, claims, joined
        case streamCreation = "stream_creation"
    }
}
