// What is known of one shard while its manifests go by.

import Batching
import CivilTime

struct ShardProof {
    let place: Place
    var chain: ChainCheck
    var parents: Set<String> = []

    /// Which shard of which stream: a stream that was made anew has other shards of the same names.
    struct Place: Hashable {
        var streamCreation: Int64
        var shard: String
    }

    /// Records whose manifests are lost, by the records around them.
    struct Hole {
        var after: SequenceNumber?
        var before: SequenceNumber?

        func contains(_ first: SequenceNumber) -> Bool {
            (after.map { first > $0 } ?? true) && (before.map { first < $0 } ?? true)
        }
    }

    init(place: Place, joined: [BackfillLedger.Joined]) {
        self.place = place
        chain = ChainCheck(joined: joined)
    }

    var archived: ArchivedShard? {
        guard let first = chain.first, let last = chain.last else { return nil }
        return ArchivedShard(id: place.shard, parents: parents, first: first, last: last)
    }
}
