// Takes Fluentd's positions over into the state directory of a job: list → what is on the disk → decision → positions.
// What must stay true: nothing is written over positions that are there already.
import Diagnostics
import Glibc
import State

package struct FluentdPositionImport: Sendable {
    /// How far back the start of a line is looked for; a longer line is taken up in its middle.
    static let lineBytesMax = 64 << 20

    package struct Entry: Sendable, Equatable {
        package var position: FluentdPosition
        package var takeover: FluentdTakeover
    }

    package private(set) var entries: [Entry] = []
    private(set) var files: [FilePosition] = []
    private let job: ShipJobFile

    package init(job: ShipJobFile) { self.job = job }

    /// True when the job's patterns match the path.
    package func owns(_ position: FluentdPosition) -> Bool {
        job.files.contains { fnmatch($0, position.path, FNM_PATHNAME | FNM_PERIOD) == 0 }
    }

    /// Decides about one position. Throws when a file cannot be read, because a guess could lose lines.
    package mutating func add(_ position: FluentdPosition, writtenAt modified: Int) throws {
        let listing = FileListing(patterns: job.files, rotatedPatterns: job.rotated)
        guard let rotations = listing.rotations(of: position.path) else {
            throw ShipError("look for rotated files of", position.path, errno: errno)
        }
        let takeover = try FluentdTakeover(
            position, current: FileFacts(path: position.path), rotations: rotations, lineStart: Self.lineStart)
        entries.append(Entry(position: position, takeover: takeover))
        switch takeover {
        case .resume(let path, let offset, _, let isRotated):
            var file = try Self.file(path, log: position.path, offset: offset)
            // What was rotated before was Fluentd's; what is younger than a rotated file came after it.
            file.since = isRotated ? file.modifiedSeen : rotations.map(\.facts.modified).max() ?? 0
            files.append(file)
        case .truncated, .successors:
            // Stands for the content that is no more: with it, all that came after it is known to be new.
            var former = FilePosition(path: position.path, device: 0, inode: position.inode)
            former.modifiedSeen = modified
            former.since = modified
            files.append(former)
        case .nothing: break
        }
    }

    private static func file(_ path: String, log: String, offset: Int) throws(ShipError) -> FilePosition {
        let source = try SourceFile(path: path)
        var file = FilePosition(path: log, device: source.identity.device, inode: source.identity.inode)
        file.identify(by: try source.head())
        let tailBytes = min(offset, FilePosition.tailBytesMax)
        file.offset = offset
        file.tail = Fingerprint(try source.bytes(at: offset - tailBytes, count: tailBytes))
        file.sizeSeen = source.facts.size
        file.modifiedSeen = source.facts.modified
        return file
    }

    /// Fluentd's positions stand after a line feed; one that does not is moved back behind the last one.
    private static func lineStart(_ path: String, _ offset: Int) throws(ShipError) -> Int {
        let source = try SourceFile(path: path)
        let blockBytes = 64 << 10
        var end = offset
        while end > 0, offset - end < lineBytesMax {
            let from = max(0, end - blockBytes)
            let block = try source.bytes(at: from, count: end - from)
            if let index = block.lastIndex(of: 0x0A) { return from + index + 1 }
            end = from
        }
        return end > 0 ? offset : 0
    }

    /// Refuses when the state directory has positions, before anything is written.
    package func checkState() throws(ShipError) {
        let file = PositionFile(directory: job.stateDirectory)
        for path in [file.path, file.previousPath] {
            var status = stat()
            if lstat(path, &status) == 0 {
                throw ShipError(
                    "take over positions", path, "there are positions already: the job has run",
                    hint: "give --state-directory with a new one, or move the positions away",
                    exitCode: .stateOrIdentity)
            }
            guard errno == ENOENT || errno == ENOTDIR else { throw ShipError("look at", path, errno: errno) }
        }
    }

    /// Writes the positions, under the job's lock.
    package func save() throws {
        let directory = StateDirectory(job.stateDirectory)
        try directory.prepare()
        let lock = try JobLock(directory: directory)
        defer { lock.release() }
        try checkState()
        let positions = ShipPositions(job: job.name, stream: job.destination.stream.name, files: files)
        try PositionFile(directory: directory.path).save(positions)
    }
}
