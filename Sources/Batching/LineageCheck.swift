// Do the archived shards fit the stream's own account of its shards? Pure. Kinesis forgets shards whose records have
// expired, so only what both sides still know is compared.

/// A shard as the stream lists it, with the numbers and hash keys that it covers.
package struct ShardSpan: Sendable, Equatable {
    package var id: String
    package var parents: [String]
    package var starting: SequenceNumber?
    /// Nil while the shard is open.
    package var ending: SequenceNumber?
    package var hashKeys: ClosedRange<UInt128>

    package init(
        id: String, parents: [String], starting: SequenceNumber?, ending: SequenceNumber?,
        hashKeys: ClosedRange<UInt128>
    ) {
        self.id = id
        self.parents = parents
        self.starting = starting
        self.ending = ending
        self.hashKeys = hashKeys
    }
}

/// What the manifests of one shard come to.
package struct ArchivedShard: Sendable, Equatable {
    package var id: String
    /// All that its manifests name; a rebuilt state may not know them all.
    package var parents: Set<String>
    package var first: SequenceNumber
    package var last: SequenceNumber

    package init(id: String, parents: Set<String>, first: SequenceNumber, last: SequenceNumber) {
        self.id = id
        self.parents = parents
        self.first = first
        self.last = last
    }
}

package struct LineageFault: Sendable, Equatable {
    package var shard: String
    package var detail: String

    package init(shard: String, detail: String) {
        self.shard = shard
        self.detail = detail
    }
}

package enum LineageCheck {
    /// Archived shards that contradict one another or the stream, sorted by shard.
    package static func faults(archived: [ArchivedShard], listed: [ShardSpan]) -> [LineageFault] {
        let spans = Dictionary(listed.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let known = Dictionary(archived.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var faults: [LineageFault] = []
        for shard in archived.sorted(by: { $0.id < $1.id }) {
            let span = spans[shard.id]
            func say(_ detail: String) { faults.append(LineageFault(shard: shard.id, detail: detail)) }
            if let span {
                let strangers = shard.parents.subtracting(span.parents).sorted()
                if !strangers.isEmpty {
                    say("its manifests name the parents \(strangers.joined(separator: ", ")), which the stream denies")
                }
                if let starting = span.starting, shard.first < starting {
                    say("its first record \(shard.first) lies before the shard's own beginning \(starting)")
                }
                if let ending = span.ending, shard.last > ending {
                    say("its last record \(shard.last) lies after the shard's own end \(ending)")
                }
            }
            for parent in shard.parents.union(span?.parents ?? []).sorted() {
                guard let before = known[parent], before.last >= shard.first else { continue }
                say("its first record \(shard.first) lies before the end \(before.last) of its parent \(parent)")
            }
        }
        return faults
    }

    /// Why the listing cannot be whole; nil when it may be. Then shards may exist that nobody has looked at.
    package static func incompleteness(of listed: [ShardSpan]) -> String? {
        var next: UInt128? = 0
        for span in listed.filter({ $0.ending == nil }).sorted(by: { $0.hashKeys.lowerBound < $1.hashKeys.lowerBound })
        {
            guard let expected = next, span.hashKeys.lowerBound <= expected else {
                return "no open shard takes the hash keys before those of \(span.id)"
            }
            let upper = span.hashKeys.upperBound
            if upper >= expected { next = upper == .max ? nil : upper + 1 }
        }
        return next == nil ? nil : "no open shard takes the highest hash keys"
    }
}
