// How far a file is shipped, and how the file is known again: by device and inode, by its first bytes, and by the
// bytes before the position. A rotated, copied or compressed file keeps its identity, a truncated or replaced one does
// not. Pure.

/// One file in the position file. `offset` is only ever moved past what the stream has stored.
package struct FilePosition: Codable, Equatable, Sendable {
    /// Where the log is written: the path under which the file was seen first. A rotated file keeps it.
    package var path: String
    package var device: UInt64
    package var inode: UInt64
    /// 8 hexadecimal digits; empty until the file has content. Part of the partition keys: never changed.
    package var generation = ""
    /// How often this inode was found with other content: 0 at first. Keeps generations apart.
    package var incarnation = 0
    /// The first bytes from `headStart` on, as many as there were, up to `headBytesMax`.
    package var head = Fingerprint([])
    /// Where the first byte stands that is not NUL: a writer that goes on at its old place after a truncation leaves
    /// NULs before it.
    package var headStart = 0
    /// Everything before is stored. Counts the bytes of the log, also when the file is compressed.
    package var offset = 0
    /// The last bytes before `offset`.
    package var tail = Fingerprint([])
    /// Size and time of the last change (nanoseconds since 1970) when it was looked at last.
    package var sizeSeen = 0
    package var modifiedSeen = 0
    /// Rotated forms of this log that were not changed after this (nanoseconds since 1970) were there before the log was
    /// shipped first; younger ones are shipped.
    package var since = 0
    /// Rotated away, read to its end, and stored: it is kept so that it is not taken for a new file.
    package var isFinished = false
    /// The file is gzip data now.
    package var isCompressed = false
    /// Since when the file cannot be found; seconds since 1970, 0 while it is there.
    package var absentSince = 0
    /// Nil rather than empty: the key is left out then.
    private var storedMarks: LogMarks?

    /// How the log grew; only of a log that is written to under its own path.
    package var marks: LogMarks {
        get { storedMarks ?? LogMarks() }
        set { storedMarks = newValue.marks.isEmpty ? nil : newValue }
    }

    package static let headBytesMax = 1_024
    package static let tailBytesMax = 256

    package init(path: String, device: UInt64, inode: UInt64) {
        self.path = path
        self.device = device
        self.inode = inode
    }

    /// The base name of the log: part of the partition keys.
    package var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Takes the log's first bytes, and with them its generation. Called once, at the first sight of content.
    package mutating func identify(by first: LogHead) {
        precondition(generation.isEmpty, "a generation is for ever")
        guard !first.bytes.isEmpty else { return }
        head = Fingerprint(first.bytes)
        headStart = first.start
        let place = "\(device):\(inode):\(incarnation):\(headStart):"
        generation = String(sha256Hex(Array(place.utf8) + first.bytes).prefix(8))
    }

    /// True when the file has not been touched since it was looked at last.
    func isAsSeen(_ facts: FileFacts) -> Bool { facts.size == sizeSeen && facts.modified == modifiedSeen }

    /// Bytes that were seen in the file and are not stored; unknown, so 0, for a compressed file.
    var unreadSeen: Int { isCompressed ? 0 : max(0, sizeSeen - offset) }

    /// What can be used as offsets and lengths.
    var isPlausible: Bool {
        offset >= 0 && sizeSeen >= 0 && incarnation >= 0 && headStart >= 0 && path.hasPrefix("/")
            && (0...Self.headBytesMax).contains(head.bytes) && (0...Self.tailBytesMax).contains(tail.bytes)
            && tail.bytes <= offset && marks.isPlausible
            && (generation.isEmpty ? offset == 0 : generation.utf8.count == 8)
    }

    enum CodingKeys: String, CodingKey {
        case path, device, inode, generation, incarnation, head, offset, tail, since
        case headStart = "head_start"
        case sizeSeen = "size_seen"
        case modifiedSeen = "modified_seen"
        case isFinished = "finished"
        case isCompressed = "compressed"
        case absentSince = "absent_since"
        case storedMarks = "marks"
    }
}

/// The first bytes of a log that are not NUL, up to `FilePosition.headBytesMax`, and where they stand.
package struct LogHead: Equatable, Sendable {
    package var start = 0
    package var bytes: [UInt8] = []

    package init() {}
    package init(start: Int, bytes: [UInt8]) { (self.start, self.bytes) = (start, bytes) }
}

/// Length and SHA-256 of some bytes of a file.
package struct Fingerprint: Codable, Equatable, Sendable {
    package var bytes: Int
    package var sha256: String

    package init(_ content: some Collection<UInt8>) {
        bytes = content.count
        sha256 = content.isEmpty ? "" : sha256Hex(Array(content))
    }
}

/// Whether a file that is there now is the one that a position speaks of.
package enum FileContinuity: Equatable, Sendable {
    case same
    /// Shorter than what was shipped of it.
    case truncated
    /// Other content than what was shipped of it.
    case replaced

    /// - Parameter read: gives `count` bytes at an offset, fewer at the end of the file.
    package init<Failure: Error>(
        _ position: FilePosition, size: Int, read: (_ offset: Int, _ count: Int) throws(Failure) -> [UInt8]
    ) throws(Failure) {
        guard size >= position.offset, size >= position.headStart + position.head.bytes else {
            self = .truncated
            return
        }
        let head = Fingerprint(try read(position.headStart, position.head.bytes))
        let tail = Fingerprint(try read(position.offset - position.tail.bytes, position.tail.bytes))
        self = head == position.head && tail == position.tail ? .same : .replaced
    }
}
