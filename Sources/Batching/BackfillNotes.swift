// What a verification needs of a backfill's ledger, `<control prefix>backfill/<stream creation, ms>/<shard>.json`:
// batches that are promised and not committed, and stretches that are known to hold no record.

import CivilTime

package struct BackfillNotes: Decodable, Sendable {
    package static let bytesMax = 64 << 20

    private struct Claim: Decodable { var intent: BatchIntent }

    private var claims: [Claim]
    package var joined: [JoinedRange]

    /// Keys that promised batches may have stored already.
    package var openKeys: [String] { claims.flatMap { $0.intent.objects.map(\.key) } }

    package static func decode(_ bytes: [UInt8]) throws(DocumentError) -> BackfillNotes {
        try CanonicalJSON.decode(BackfillNotes.self, from: bytes, versionMax: 1, as: "backfill ledger")
    }

    package static func prefix(controlPrefix: String) -> String { "\(controlPrefix)backfill/" }

    package static func key(controlPrefix: String, streamCreation: Int64, shard: String) -> String {
        "\(prefix(controlPrefix: controlPrefix))\(streamCreation)/\(shard).json"
    }
}
