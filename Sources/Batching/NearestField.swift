// "Did you mean": the placeholder with the smallest edit distance to what was typed.

enum NearestField {
    /// Longer names are compared by their first characters only.
    private static let lengthMax = 32

    /// Nil when nothing is near enough to be a slip.
    static func name(to typed: String) -> String? {
        let a = Array(typed.lowercased().utf8.prefix(lengthMax))
        let ranked = PrefixTemplate.Field.allCases.map { ($0.rawValue, distance(a, Array($0.rawValue.utf8))) }
        guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(2, best.0.utf8.count / 2) else { return nil }
        return best.0
    }

    /// Levenshtein: insert, delete, replace.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for i in a.indices {
            var current = [i + 1]
            for j in b.indices {
                current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1)))
            }
            previous = current
        }
        return previous[b.count]
    }
}
