// From a position of Fluentd, and what is on the disk now, to where Sluice goes on. What must stay true: rather lines
// twice than a line lost; a position is only taken over in the file of the same inode, at the start of a line. Pure.

/// Where shipping goes on for one line of a position file.
package enum FluentdTakeover: Sendable, Equatable {
    /// In the file itself, which may have been rotated to `path`. `back` bytes of an unfinished line are read again.
    case resume(path: String, offset: Int, back: Int, isRotated: Bool)
    /// The file became shorter: Fluentd, too, would begin at its head. What was rotated since Fluentd wrote its positions
    /// may be a copy of what it held, and is read as well.
    case truncated
    /// The file is not found. What was rotated since Fluentd wrote its positions is read, then the file there now, each
    /// from its head.
    case successors
    /// There is nothing to go on with: the file counts as seen for the first time.
    case nothing(Reason)

    package enum Reason: String, Sendable {
        case unwatched, neverRead, gone
    }

    /// - Parameter current: the file at the path now; nil when there is none.
    /// - Parameter rotations: files beside it under names that rotation gives.
    /// - Parameter lineStart: the start of the line that a byte of a file belongs to.
    init<Failure: Error>(
        _ position: FluentdPosition, current: FileFacts?, rotations: [ListedFile],
        lineStart: (_ path: String, _ offset: Int) throws(Failure) -> Int
    ) throws(Failure) {
        guard let offset = position.offset else {
            self = .nothing(.unwatched)
            return
        }
        guard position.inode != 0 else {
            self = .nothing(.neverRead)
            return
        }
        if let current, current.inode == position.inode {
            guard offset <= current.size else {
                self = .truncated
                return
            }
            let start = try lineStart(position.path, offset)
            self = .resume(path: position.path, offset: start, back: offset - start, isRotated: false)
            return
        }
        // A compressed file has an inode of its own: the same number there is a coincidence.
        let rotated = rotations.first {
            $0.facts.inode == position.inode && !RotationNames.isCompressed($0.name) && offset <= $0.facts.size
        }
        if let rotated {
            let start = try lineStart(rotated.path, offset)
            self = .resume(path: rotated.path, offset: start, back: offset - start, isRotated: true)
        } else {
            self = current == nil && rotations.isEmpty ? .nothing(.gone) : .successors
        }
    }

    /// What happens, for the operator.
    package func text(_ position: FluentdPosition) -> String {
        switch self {
        case .resume(let path, let offset, let back, let isRotated):
            let place =
                isRotated
                ? "was rotated to \(path): goes on there at byte \(offset), then with what came after it"
                : "goes on at byte \(offset)"
            return place + (back == 0 ? "" : ", \(back) bytes before Fluentd's position, at the start of the line")
        case .truncated:
            return "is shorter than Fluentd's position \(position.offset ?? 0): was truncated, and is read from its "
                + "head, after files rotated since Fluentd's last position; some lines may come twice"
        case .successors:
            return "the file that Fluentd read (inode \(position.inode)) is not there any more: files rotated since "
                + "Fluentd's last position are read, then the one there now, each from its head; some lines may come twice"
        case .nothing(.unwatched): return "Fluentd had given this file up: if it matches, `start` decides"
        case .nothing(.neverRead): return "Fluentd had not found this file yet: `start` decides"
        case .nothing(.gone): return "is gone, and nothing was rotated from it: `start` decides when it comes back"
        }
    }
}
