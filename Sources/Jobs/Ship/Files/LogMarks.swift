// How a log grew while it was read: a few places in it, each with what stood before it and with the file's size and time
// of that moment. With them a copy that ends before the place up to which the log was shipped can be told from another
// log that begins alike. Pure.

/// One moment of a log. Everything before `offset` was read; the file had `size` bytes and was changed last at `modified`.
package struct LogMark: Equatable, Sendable {
    /// So many bytes before the place are compared.
    static let bytesMax = LogReader.guardBytesMax
    private static let digitsMax = 16

    package var offset: Int
    package var size: Int
    package var modified: Int
    package var digest: String

    /// - Parameter before: the bytes before `offset`; its last ones count.
    init(offset: Int, size: Int, modified: Int, before: some BidirectionalCollection<UInt8>) {
        self.offset = offset
        self.size = size
        self.modified = modified
        digest = Self.digest(before)
    }

    /// True when these are the bytes before the place.
    func fits(_ before: some BidirectionalCollection<UInt8>) -> Bool { Self.digest(before) == digest }

    private static func digest(_ bytes: some BidirectionalCollection<UInt8>) -> String {
        String(sha256Hex(Array(bytes.suffix(bytesMax))).prefix(digitsMax))
    }
}

/// Short in the position file: there are several in each position.
extension LogMark: Codable {
    package init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        offset = try values.decode(Int.self)
        size = try values.decode(Int.self)
        modified = try values.decode(Int.self)
        digest = try values.decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.unkeyedContainer()
        try values.encode(offset)
        try values.encode(size)
        try values.encode(modified)
        try values.encode(digest)
    }
}

package struct LogMarks: Equatable, Sendable {
    /// Few: they stand in the position file, which is written every second.
    static let countMax = 8
    /// A write gives a file its time before its bytes, and the clock of files stands still for up to ten milliseconds.
    static let clockSlackNanoseconds = 20_000_000

    /// By offset.
    package private(set) var marks: [LogMark] = []

    package init() {}

    /// Takes a mark at a later place than all others, or anew at the last one's.
    ///
    /// The first one and the last two always stay. Of the others goes the one that is missed least: gaps are to grow with
    /// their distance from the end, since a copy ends a little before it.
    mutating func add(_ mark: LogMark) {
        marks.removeAll { $0.offset >= mark.offset }
        marks.append(mark)
        guard marks.count > Self.countMax else { return }
        let offsets = marks.map(\.offset)
        let loss = { (index: Int) -> Double in
            Double(offsets[index + 1] - offsets[index - 1]) / Double(mark.offset - offsets[index - 1])
        }
        if let least = (1..<marks.count - 2).min(by: { loss($0) < loss($1) }) { marks.remove(at: least) }
    }

    /// True when a copy of this log that ends after `length` bytes can have been written to last at `modified`: while the
    /// log was longer it had been made already, and it has no byte that was not written yet. No other log was under the
    /// path in that time.
    func allowCopy(length: Int, modified: Int) -> Bool {
        guard let last = marks.last, last.size > length else { return false }
        return marks.allSatisfy { mark in
            if mark.size > length { return modified <= mark.modified + Self.clockSlackNanoseconds }
            return mark.size == length || modified >= mark.modified - Self.clockSlackNanoseconds
        }
    }

    /// The same for a copy whose length is not known yet.
    func allowCopy(modified: Int) -> Bool {
        marks.last.map { modified <= $0.modified + Self.clockSlackNanoseconds } ?? false
    }

    var isPlausible: Bool {
        marks.count <= Self.countMax && marks.allSatisfy { $0.offset >= 0 && $0.size >= 0 }
            && zip(marks, marks.dropFirst()).allSatisfy { $0.offset < $1.offset }
    }
}

extension LogMarks: Codable {
    package init(from decoder: any Decoder) throws { marks = try [LogMark](from: decoder) }
    package func encode(to encoder: any Encoder) throws { try marks.encode(to: encoder) }
}
