// Cuts a file's bytes into records: one whole line each, without its line feed. Pure. What must stay true: the pieces
// handed out, their line feeds put back, are the bytes taken in; where a cut falls depends on the bytes from the
// record's start on only, so a restart at any record's offset cuts alike.
import Glibc

/// One record's worth of a file.
struct FramedLine: Equatable {
    /// Where it begins in the file.
    var offset: Int
    /// Where the next one begins: what a restart may skip to once this one is stored.
    var end: Int
    var bytes: [UInt8]
    /// More of the same line follows in the next record: the line is longer than a record may be.
    var isCut: Bool
}

struct LineFramer {
    private let lineBytesMax: Int
    private var buffer: [UInt8] = []
    /// Where the next record starts in `buffer`, and up to where no line feed was found.
    private var start = 0
    private var searched = 0
    /// Position in the file of `buffer[start]`.
    private var offset: Int

    /// - Parameter lineBytesMax: a longer line becomes several records, cut between UTF-8 characters.
    init(offset: Int, lineBytesMax: Int) {
        precondition(lineBytesMax >= 4, "a record must hold a UTF-8 character")
        self.offset = offset
        self.lineBytesMax = lineBytesMax
    }

    /// Bytes that wait for their line feed. At most `lineBytesMax` once `next` gave nil.
    var waitingBytes: Int { buffer.count - start }

    mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next record; nil when only an unfinished line is left, which waits for the rest.
    mutating func next() -> FramedLine? {
        let lineFeed = buffer.withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress, searched < bytes.count,
                let found = memchr(base + searched, 0x0A, bytes.count - searched)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
        searched = lineFeed ?? buffer.count
        let length = searched - start
        if length > lineBytesMax { return take(cutLength, isCut: true) }
        return lineFeed == nil ? nil : take(length, isCut: false)
    }

    /// The longest part of a too long line that ends between characters, or just the limit when it is not UTF-8.
    private var cutLength: Int {
        for back in 0..<4 where buffer[start + lineBytesMax - back] & 0xC0 != 0x80 { return lineBytesMax - back }
        return lineBytesMax
    }

    private mutating func take(_ length: Int, isCut: Bool) -> FramedLine {
        let bytes = Array(buffer[start..<start + length])
        let consumed = isCut ? length : length + 1
        let line = FramedLine(offset: offset, end: offset + consumed, bytes: bytes, isCut: isCut)
        start += consumed
        offset += consumed
        searched = max(searched, start)
        return line
    }
}
