// Positions of logs that are done, by the file that holds them: such a file is met again at every look, under one name
// after the other. Looking one up costs the same however many there are. Pure.

struct FinishedLogs {
    /// One for each file; in an order that depends only on what was done.
    private(set) var positions: [FilePosition] = []
    private var places: [FileIdentity: Int] = [:]
    /// How many files hold the same log.
    private var forms: [Log: Int] = [:]

    private struct Log: Hashable {
        var path: String
        var generation: String

        init(_ position: FilePosition) { (path, generation) = (position.path, position.generation) }
    }

    subscript(identity: FileIdentity) -> FilePosition? { places[identity].map { positions[$0] } }

    /// - Returns: the position of another log that the file's inode held before; its file is gone.
    @discardableResult
    mutating func insert(_ position: FilePosition) -> FilePosition? {
        forms[Log(position), default: 0] += 1
        guard let place = places[position.identity] else {
            places[position.identity] = positions.count
            positions.append(position)
            return nil
        }
        let former = positions[place]
        positions[place] = position
        forget(former)
        return former.generation == position.generation ? nil : former
    }

    @discardableResult
    mutating func remove(_ identity: FileIdentity) -> FilePosition? {
        guard let place = places.removeValue(forKey: identity) else { return nil }
        let removed = positions[place]
        let last = positions.removeLast()
        if place < positions.count {
            positions[place] = last
            places[last.identity] = place
        }
        forget(removed)
        return removed
    }

    private mutating func forget(_ position: FilePosition) {
        let log = Log(position)
        forms[log] = forms[log].flatMap { $0 > 1 ? $0 - 1 : nil }
    }

    /// True when a file holds the log of `position`, which is not among `positions`.
    func holdsLog(of position: FilePosition) -> Bool { forms[Log(position)] != nil }
}
