/// Tells whether two manifests that follow one another on a shard leave no record out between them.
package struct ManifestLink: Sendable {
    private let joined: Set<BackfillLedger.Joined>

    /// - Parameter joined: what backfills of the shard have found by reading (`BackfillLedger.joined`).
    package init(joined: some Sequence<BackfillLedger.Joined> = []) { self.joined = Set(joined) }

    /// - Parameters:
    ///   - earlier, later: neighbours in the order of their keys.
    /// - Returns: true when it is proven. A live batch names the manifest that it continues, and that one cannot have
    ///   changed unless it was lost and a backfill filled its place, perhaps with fewer records. A batch of a backfill
    ///   names the very record that it follows.
    package func isProven(_ earlier: ManifestFacts, _ later: ManifestFacts) -> Bool {
        if joined.contains(BackfillLedger.Joined(after: earlier.last, before: later.first)) { return true }
        guard later.gap == nil else { return false }
        if let mark = later.backfill { return mark.after == earlier.last }
        return earlier.isLive && later.previous == earlier.key
    }
}
