// Which bytes of a file the stream has stored. Requests are answered in any order; a restart may skip only what is
// stored without a hole. Pure.

struct AckLedger: Equatable {
    /// Everything before is stored, or needs no storing.
    private(set) var storedOffset: Int
    /// Stored ranges behind a hole: sorted, apart from each other.
    private(set) var islands: [Range<Int>] = []

    init(offset: Int) { storedOffset = offset }

    /// Takes note that `range` is stored, or that it needs no storing. Ranges come in any order and never twice.
    mutating func complete(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        if range.lowerBound <= storedOffset {
            storedOffset = max(storedOffset, range.upperBound)
            // The hole before some islands may be filled now.
            let filled = islands.prefix { $0.lowerBound <= storedOffset }
            if let last = filled.last { storedOffset = max(storedOffset, last.upperBound) }
            islands.removeFirst(filled.count)
            return
        }
        var low = 0
        var high = islands.count
        while low < high {
            let middle = (low + high) / 2
            if islands[middle].lowerBound < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        if low > 0, islands[low - 1].upperBound == range.lowerBound {
            let joined = islands[low - 1].lowerBound..<range.upperBound
            if low < islands.count, islands[low].lowerBound == range.upperBound {
                islands[low - 1] = joined.lowerBound..<islands[low].upperBound
                islands.remove(at: low)
            } else {
                islands[low - 1] = joined
            }
        } else if low < islands.count, islands[low].lowerBound == range.upperBound {
            islands[low] = range.lowerBound..<islands[low].upperBound
        } else {
            islands.insert(range, at: low)
        }
    }
}
