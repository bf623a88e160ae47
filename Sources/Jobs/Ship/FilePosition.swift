// How far a file is shipped, and how the file is known again: by device and inode, by its first bytes, and by the
// bytes before the position. A rotated file keeps its identity, a truncated or replaced one does not. Pure.

/// One file in the position file. `offset` is only ever moved past what the stream has stored.
struct FilePosition: Codable, Equatable, Sendable {
    /// Where the file was last seen.
    var path: String
    /// Base name when it was first seen: part of the partition keys, which must not change when the file is rotated.
    var name: String
    var device: UInt64
    var inode: UInt64
    /// 8 hexadecimal digits; empty until the file has content.
    var generation: String
    /// The first bytes, as many as there were at first sight.
    var head: Fingerprint
    /// Everything before is stored.
    var offset: Int
    /// The last bytes before `offset`.
    var tail: Fingerprint
    /// Size at the start of the last run.
    var sizeSeen: Int

    static let headBytesMax = 1_024
    static let tailBytesMax = 256

    /// Takes the file's first bytes, and with them its generation. Called once, at the first sight of content.
    mutating func identify(by firstBytes: [UInt8]) {
        precondition(generation.isEmpty, "a generation is for ever")
        guard !firstBytes.isEmpty else { return }
        head = Fingerprint(firstBytes.prefix(Self.headBytesMax))
        let identity = Array("\(device):\(inode):".utf8) + firstBytes.prefix(Self.headBytesMax)
        generation = String(sha256Hex(identity).prefix(8))
    }
}

/// Length and SHA-256 of some bytes of a file.
struct Fingerprint: Codable, Equatable, Sendable {
    var bytes: Int
    var sha256: String

    init(_ content: some Collection<UInt8>) {
        bytes = content.count
        sha256 = content.isEmpty ? "" : sha256Hex(Array(content))
    }
}

/// What the position file says about the whole job.
struct ShipPositions: Codable, Equatable, Sendable {
    static let formatVersion = 1

    var formatVersion = Self.formatVersion
    var job: String
    /// Positions are worth nothing for another stream.
    var stream: String
    var files: [FilePosition] = []
}

/// Whether a file that is there now is the one that a position speaks of.
enum FileContinuity: Equatable {
    case same
    /// Shorter than what was shipped of it.
    case truncated
    /// Other content than what was shipped of it.
    case replaced

    /// - Parameter read: gives `count` bytes at an offset, fewer at the end of the file.
    init<Failure: Error>(
        _ position: FilePosition, size: Int, read: (_ offset: Int, _ count: Int) throws(Failure) -> [UInt8]
    ) throws(Failure) {
        guard size >= position.offset, size >= position.head.bytes else {
            self = .truncated
            return
        }
        let head = Fingerprint(try read(0, position.head.bytes))
        let tail = Fingerprint(try read(position.offset - position.tail.bytes, position.tail.bytes))
        self = head == position.head && tail == position.tail ? .same : .replaced
    }
}
