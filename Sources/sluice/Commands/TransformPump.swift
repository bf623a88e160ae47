// Standard input to standard output, line by line, in bounded memory: one buffer for input that grows to the longest
// line accepted, one for rows.

import CivilTime
import Diagnostics
import Glibc
import Records

/// Not Sendable: it lives on one task.
final class TransformPump {
    /// Kinesis takes records of 10 MiB at most; a longer line is no log line.
    static let lineBytesMax = 16 << 20
    /// What one read(2) asks for and what rows are gathered to before one write(2).
    static let chunkBytes = 1 << 20
    /// Long lines that are reported one by one.
    static let notesMax = 10

    private let transformer: RecordTransformer
    private let arrival: Timestamp
    private let input: Int32
    private let write: (UnsafeRawBufferPointer) throws -> Void

    private var buffer: UnsafeMutableRawBufferPointer
    /// `[start, end)` of `buffer` has been read and not transformed.
    private var start = 0
    private var end = 0
    private var rows: UnsafeMutableRawBufferPointer
    private var rowBytes = 0
    private var lines = 0
    private var notes: [String] = []
    /// True while the rest of a line that was too long is thrown away.
    private var isSkipping = false

    init(
        settings: TransformSettings, arrival: Timestamp, input: Int32 = STDIN_FILENO,
        write: @escaping (UnsafeRawBufferPointer) throws -> Void = { try StandardOutput.write($0) }
    ) throws {
        transformer = try RecordTransformer(settings: settings)
        self.arrival = arrival
        self.input = input
        self.write = write
        buffer = .allocate(byteCount: 2 * Self.chunkBytes, alignment: 16)
        rows = .allocate(byteCount: 2 * Self.chunkBytes, alignment: 16)
    }

    deinit {
        buffer.deallocate()
        rows.deallocate()
    }

    /// Reads to the end of the input.
    /// - Returns: what the operator should know, such as lines that were cut.
    func run() throws -> [String] {
        while try fill() { try transformWholeLines() }
        // A last line without LF counts.
        if end > start, !isSkipping { try transform(start..<end) }
        try flush()
        return notes
    }

    /// Reads once more; false at the end of the input.
    private func fill() throws -> Bool {
        if start > 0 {
            if let base = buffer.baseAddress { memmove(base, base + start, end - start) }
            end -= start
            start = 0
        }
        if buffer.count - end < Self.chunkBytes { grow() }
        while true {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end..<end + Self.chunkBytes])
            let count = read(input, room.baseAddress, room.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw InputError(code: errno)
            }
            end += count
            return count > 0
        }
    }

    private func transformWholeLines() throws {
        // What was there before this read holds no LF; searching it again would cost a long line dearly.
        var searched = max(start, end - Self.chunkBytes)
        while let lineFeed = firstLineFeed(from: searched) {
            if isSkipping {
                isSkipping = false
            } else {
                try transform(start..<lineFeed)
            }
            start = lineFeed + 1
            searched = start
        }
        if isSkipping {
            start = end
        } else if end - start > Self.lineBytesMax {
            try transform(start..<end)
            isSkipping = true
            start = end
        }
    }

    private func firstLineFeed(from position: Int) -> Int? {
        guard position < end, let base = buffer.baseAddress,
            let found = memchr(base + position, 0x0A, end - position)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// One row of one line, of which at most `lineBytesMax` bytes count.
    private func transform(_ range: Range<Int>) throws {
        lines += 1
        if range.count > Self.lineBytesMax {
            note("line \(lines) is longer than \(Self.lineBytesMax) bytes: its row holds the beginning")
        }
        let line = UnsafeRawBufferPointer(rebasing: buffer[range.prefix(Self.lineBytesMax)])
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let origin = RecordOrigin(shardID: nil, sequenceNumber: none, arrival: arrival, partitionKey: none)
        try transformer.transformLine(line, origin: origin) { _, row in try append(row) }
    }

    private func append(_ row: UnsafeRawBufferPointer) throws {
        if rowBytes + row.count > rows.count { try flush() }
        guard row.count <= rows.count else { return try write(row) }
        UnsafeMutableRawBufferPointer(rebasing: rows[rowBytes..<rowBytes + row.count]).copyMemory(from: row)
        rowBytes += row.count
        if rowBytes >= Self.chunkBytes { try flush() }
    }

    private func flush() throws {
        if rowBytes > 0 { try write(UnsafeRawBufferPointer(rebasing: rows[0..<rowBytes])) }
        rowBytes = 0
    }

    /// Doubles the input buffer; a line is cut before it can fill the largest.
    private func grow() {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(buffer.count * 2, Self.lineBytesMax + 2 * Self.chunkBytes), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<end]))
        buffer.deallocate()
        buffer = larger
    }

    private func note(_ text: String) {
        if notes.count < Self.notesMax { notes.append(text) }
    }
}

/// Why standard input gives no more.
struct InputError: DiagnosticError, Equatable {
    var code: Int32

    var exitCode: ExitCode { .temporary }
    var isTransient: Bool { false }
    var diagnostic: Diagnostic {
        Diagnostic(
            operation: "read", subject: "standard input", cause: String(cString: strerror(code)),
            hint: code == EISDIR ? "redirect a file, not a directory" : nil)
    }
}
