/// What a batch made by `sluice backfill` says of its place. The link by `previous` that a live run writes is not enough
/// here: a backfill can put another batch under the key of a manifest that was lost.
package struct BackfillMark: Codable, Sendable, Equatable {
    /// The record directly before the batch, the last one of `previous`; nil when records between the two may be in no
    /// batch.
    package var after: SequenceNumber?

    package init(after: SequenceNumber? = nil) { self.after = after }
}
