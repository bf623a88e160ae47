// Where the positions are kept: `positions.json` in the state directory, which others prepare and lock. What must
// stay true: the file is always whole and never ahead of what the stream has stored; one that cannot be understood is
// never overwritten; the copy before it stays as `positions.json.previous`.
import Diagnostics
import FoundationEssentials
import Glibc

/// What the position file says about the whole job.
package struct ShipPositions: Equatable, Sendable {
    package static let formatVersion = 3
    /// Format 2 has no marks.
    static let readableVersions = 2...formatVersion

    package var job: String
    /// Positions are worth nothing for another stream.
    package var stream: String
    package var files: [FilePosition] = []

    package init(job: String, stream: String, files: [FilePosition] = []) {
        self.job = job
        self.stream = stream
        self.files = files
    }
}

package struct PositionFile {
    /// A position has some 600 bytes, with marks 1,000.
    static let bytesMax = 64 << 20

    let directory: String
    let failpoints: Failpoints
    var path: String { "\(directory)/positions.json" }
    var previousPath: String { path + ".previous" }

    package init(directory: String, failpoints: Failpoints = Failpoints()) {
        self.directory = directory
        self.failpoints = failpoints
    }

    /// What the last run left; nothing shipped yet when there is no file. A damaged file gives way to the copy before
    /// it: positions that are too old cost duplicates, not lines.
    ///
    /// - Parameter warn: is told that the copy was taken, and why.
    package func load(job: String, stream: String, warn: (String) -> Void = { _ in }) throws -> ShipPositions {
        let current = try Self.read(path)
        let parsed = current.map { Self.parse($0) } ?? .absent
        switch parsed {
        case .positions(let positions): return try checked(positions, job: job, stream: stream)
        case .newer(let version):
            throw refusal(
                path, "has format \(version), this sluice writes \(ShipPositions.formatVersion)",
                hint: "use the version of sluice that wrote it, or a newer one")
        case .absent, .damaged: break
        }
        guard let previous = try Self.read(previousPath) else {
            if case .absent = parsed { return ShipPositions(job: job, stream: stream) }
            throw refusal(path, "is damaged", hint: Self.restartHint)
        }
        guard case .positions(let positions) = Self.parse(previous) else {
            throw refusal(path, "is damaged or missing, and so is the copy before it", hint: Self.restartHint)
        }
        let good = try checked(positions, job: job, stream: stream)
        warn("\(path) is damaged or missing; the copy before it is used, so some lines may be sent again")
        return good
    }

    private enum Parsed {
        case absent, damaged
        case newer(Int)
        case positions(ShipPositions)
    }

    private static func parse(_ bytes: [UInt8]) -> Parsed {
        struct Version: Decodable { var format_version: Int }
        let decoder = JSONDecoder()
        guard let version = try? decoder.decode(Version.self, from: Data(bytes)) else { return .damaged }
        guard ShipPositions.readableVersions.contains(version.format_version) else {
            return version.format_version > ShipPositions.formatVersion ? .newer(version.format_version) : .damaged
        }
        guard let stored = try? decoder.decode(StoredPositions.self, from: Data(bytes)),
            stored.sha256 == StoredPositions.digest(stored.files), stored.files.allSatisfy(\.isPlausible)
        else { return .damaged }
        return .positions(ShipPositions(job: stored.job, stream: stored.stream, files: stored.files))
    }

    private func checked(_ positions: ShipPositions, job: String, stream: String) throws(ShipError) -> ShipPositions {
        guard positions.job == job, positions.stream == stream else {
            throw refusal(
                path, "belongs to job \(positions.job) and stream \(positions.stream), not to \(job) and \(stream)",
                hint: "give this job a state.directory of its own")
        }
        return positions
    }

    private static let restartHint =
        "restore it from a backup, or move it away: the files are then shipped as if seen for the first time"

    private func refusal(_ path: String, _ cause: String, hint: String) -> ShipError {
        ShipError("read positions", path, cause, hint: hint, exitCode: .stateOrIdentity)
    }

    /// Replaces the file in steps that survive a power failure: write beside it, fsync, keep the old one under a second
    /// name, rename, fsync the directory. At every moment one whole file is there.
    package func save(_ positions: ShipPositions) throws {
        let temporary = path + ".new"
        try failpoints.hit(.shipPositionsWriteBefore)
        try SmallFile.write(StoredPositions(positions).encoded(), to: temporary, operation: "write positions")
        try failpoints.hit(.shipPositionsWriteAfter)
        try keepPrevious()
        try failpoints.hit(.shipPositionsRenameBefore)
        guard rename(temporary, path) == 0 else { throw ShipError("replace positions", path, errno: errno) }
        try failpoints.hit(.shipPositionsRenameAfter)
        try SmallFile.syncDirectory(directory)
        try failpoints.hit(.shipPositionsSyncAfter)
    }

    private func keepPrevious() throws {
        let link = previousPath + ".new"
        unlink(link)
        try failpoints.hit(.shipPositionsKeepBefore)
        guard Glibc.link(path, link) == 0 else {
            // Nothing to keep yet; or a file system without hard links, where the copy is a luxury.
            return
        }
        guard rename(link, previousPath) == 0 else { throw ShipError("keep positions", previousPath, errno: errno) }
        try failpoints.hit(.shipPositionsKeepAfter)
    }

    private static func read(_ path: String) throws -> [UInt8]? {
        try SmallFile.read(path, bytesMax: bytesMax, operation: "read positions")
    }
}

/// The document as it stands in the file; `sha256` is over the files, so that a flipped bit is found.
private struct StoredPositions: Codable {
    var format_version = ShipPositions.formatVersion
    var job: String
    var stream: String
    var files: [FilePosition]
    var sha256: String

    init(_ positions: ShipPositions) {
        job = positions.job
        stream = positions.stream
        files = positions.files
        sha256 = Self.digest(positions.files)
    }

    func encoded() -> [UInt8] { Self.encode(self) + [0x0A] }
    static func digest(_ files: [FilePosition]) -> String { sha256Hex(encode(files)) }

    private static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("positions hold text and numbers only")
        }
        return Array(data)
    }
}
