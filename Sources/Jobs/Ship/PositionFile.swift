// Where the positions are kept: `positions.json` in the state directory, which others prepare and lock. What must
// stay true: the file is always whole and never ahead of what the stream has stored; one that cannot be understood is
// never overwritten.
import Diagnostics
import FoundationEssentials
import Glibc

struct PositionFile {
    /// A position file has some 400 bytes for each file.
    static let bytesMax = 64 << 20

    let directory: String
    var path: String { "\(directory)/positions.json" }

    /// What the last run left; nothing shipped yet when there is no file.
    func load(job: String, stream: String) throws(ShipError) -> ShipPositions {
        guard let bytes = try read() else { return ShipPositions(job: job, stream: stream) }
        struct Version: Decodable { var formatVersion: Int }
        let decoder = JSONDecoder()
        guard let version = try? decoder.decode(Version.self, from: Data(bytes)) else {
            throw refusal("is damaged", hint: restartHint)
        }
        guard version.formatVersion == ShipPositions.formatVersion else {
            throw refusal(
                "has format \(version.formatVersion), this sluice writes \(ShipPositions.formatVersion)",
                hint: "use the version of sluice that wrote it, or a newer one")
        }
        guard let positions = try? decoder.decode(ShipPositions.self, from: Data(bytes)),
            positions.files.allSatisfy({ $0.isPlausible })
        else { throw refusal("is damaged", hint: restartHint) }
        guard positions.job == job, positions.stream == stream else {
            throw refusal(
                "belongs to job \(positions.job) and stream \(positions.stream), not to \(job) and \(stream)",
                hint: "give this job a state.directory of its own")
        }
        return positions
    }

    private var restartHint: String {
        "restore it from a backup, or move it away: the files are then shipped as if seen for the first time"
    }

    private func refusal(_ cause: String, hint: String) -> ShipError {
        ShipError("read positions", path, cause, hint: hint, exitCode: .stateOrIdentity)
    }

    /// Replaces the file in one step that survives a power failure: write beside it, fsync, rename, fsync directory.
    func save(_ positions: ShipPositions) throws(ShipError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(positions) else {
            preconditionFailure("positions hold text and numbers only")
        }
        let temporary = path + ".new"
        try write(Array(data) + [0x0A], to: temporary)
        guard rename(temporary, path) == 0 else { throw ShipError("replace positions", path, errno: errno) }
        let folder = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard folder >= 0 else { throw ShipError("open", directory, errno: errno) }
        defer { close(folder) }
        if fsync(folder) != 0 { throw ShipError("fsync", directory, errno: errno) }
    }

    private func write(_ bytes: [UInt8], to target: String) throws(ShipError) {
        let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw ShipError("write positions", target, errno: errno) }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw ShipError("write positions", target, errno: errno) }
            offset += written
        }
        if fsync(descriptor) != 0 { throw ShipError("fsync", target, errno: errno) }
    }

    private func read() throws(ShipError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 && errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw ShipError("read positions", path, errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.bytesMax {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw ShipError("read positions", path, errno: errno) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
        throw refusal("is larger than \(Self.bytesMax) bytes", hint: restartHint)
    }
}

extension FilePosition {
    /// What can be used as offsets and lengths.
    fileprivate var isPlausible: Bool {
        offset >= 0 && sizeSeen >= 0 && (0...Self.headBytesMax).contains(head.bytes)
            && (0...Self.tailBytesMax).contains(tail.bytes)
            && tail.bytes <= offset
    }
}
