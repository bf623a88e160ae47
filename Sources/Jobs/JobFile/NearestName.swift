// "Did you mean": the known name with the smallest edit distance, when that is small enough to be a slip.

/// - Returns: the nearest of `known` to `name`, or nil when none is near. Ties go to the first.
func nearestName(to name: String, among known: some Sequence<String>) -> String? {
    let typed = Array(name.lowercased().unicodeScalars.prefix(nameLengthMax))
    let distanceMax = max(1, typed.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in known {
        let distance = editDistance(typed, Array(candidate.lowercased().unicodeScalars.prefix(nameLengthMax)))
        if distance <= distanceMax, distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    return best?.name
}

/// Longer names are compared by their first scalars only.
private let nameLengthMax = 64

/// Optimal string alignment: insert, delete, replace, swap two neighbours.
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforePrevious = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in a.indices {
        var current = [i + 1] + [Int](repeating: 0, count: b.count)
        for j in b.indices {
            let replaced = previous[j] + (a[i] == b[j] ? 0 : 1)
            var least = min(previous[j + 1] + 1, current[j] + 1, replaced)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, beforePrevious[j - 1] + 1) }
            current[j + 1] = least
        }
        beforePrevious = previous
        previous = current
    }
    return previous[b.count]
}
