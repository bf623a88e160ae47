// Positions of logs whose files cannot be found: a folder may be mounted again, a link turned back, and the packed form
// of a log that is gone may turn up later. Pure.

struct AbsentLogs {
    /// After this time a log that was not shipped to its end is forgotten.
    static let secondsMax = 7 * 86_400
    /// After this time a log that was shipped whole is forgotten: longer than it takes to pack it and put it away.
    static let finishedSecondsMax = 86_400
    /// Most positions that are kept; the oldest go first.
    static let positionsMax = 10_000

    /// Several may have had the same inode, one after the other.
    private(set) var positions: [FilePosition] = []
    private var known: Set<Key> = []

    private struct Key: Hashable {
        var identity: FileIdentity
        var generation: String

        init(_ position: FilePosition) { (identity, generation) = (position.identity, position.generation) }
    }

    /// - Parameter seconds: the time now, since 1970; for a position that was not absent before.
    mutating func insert(_ position: FilePosition, seconds: Int) {
        var position = position
        if position.absentSince == 0 { position.absentSince = seconds }
        guard Self.isKept(position, seconds), known.insert(Key(position)).inserted else { return }
        positions.append(position)
        if positions.count > Self.positionsMax { known.remove(Key(positions.removeFirst())) }
    }

    mutating func remove(_ position: FilePosition) {
        guard known.remove(Key(position)) != nil else { return }
        positions.removeAll { Key($0) == Key(position) }
    }

    mutating func expire(seconds: Int) {
        positions.removeAll { !Self.isKept($0, seconds) }
        known = Set(positions.map(Key.init))
    }

    static func isKept(_ position: FilePosition, _ seconds: Int) -> Bool {
        seconds - position.absentSince < (position.isFinished ? finishedSecondsMax : secondsMax)
    }
}
