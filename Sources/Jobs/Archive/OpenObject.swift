// One object of a batch while it grows: rows gather in a chunk, full chunks are compressed and appended to the spool
// file. Memory is one chunk and its dictionary, whatever the object's size; the file is one gzip member.

import Batching
import CivilTime
import Crypto
import Glibc
import Gzip

/// Not Sendable: it belongs to the batch builder of one shard.
final class OpenObject {
    /// How far back deflate may refer (RFC 1951 section 2).
    static let dictionaryBytesMax = 32 << 10
    private static let firstBufferBytes = 4 << 10

    let key: String
    let partition: String
    let spoolFile: String
    private(set) var rows = 0
    /// Compressed bytes in the spool file so far.
    private(set) var bytes = 0
    private(set) var firstEvent: Timestamp
    private(set) var lastEvent: Timestamp

    private let chunkBytes: Int
    private var frame = GzipFrame()
    private var objectHash = SHA256()
    private var rowsHash = SHA256()
    private var rowsBytes = 0
    private var isCreated = false

    /// `[0, start)` is the dictionary, `[start, end)` the rows that wait.
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    init(key: String, partition: String, spoolFile: String, chunkBytes: Int, firstEvent: Timestamp) {
        self.key = key
        self.partition = partition
        self.spoolFile = spoolFile
        self.chunkBytes = chunkBytes
        self.firstEvent = firstEvent
        lastEvent = firstEvent
        buffer = .allocate(byteCount: Self.firstBufferBytes, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Adds one row. Full chunks go through `deflater` into the spool file, by way of `scratch`.
    func append(_ row: UnsafeRawBufferPointer, event: Timestamp, through writer: ChunkWriter) throws {
        rows += 1
        if event < firstEvent { firstEvent = event }
        if event > lastEvent { lastEvent = event }
        var rest = row
        while !rest.isEmpty {
            let room = chunkBytes - (end - start)
            let taken = min(room, rest.count)
            makeRoom(for: taken)
            UnsafeMutableRawBufferPointer(rebasing: buffer[end..<end + taken])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[0..<taken]))
            end += taken
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            if end - start == chunkBytes { try flush(isLast: false, through: writer) }
        }
    }

    /// Compresses what is left, ends the gzip member and gives the object's description.
    func finish(through writer: ChunkWriter) throws -> BatchObject {
        try flush(isLast: true, through: writer)
        return BatchObject(
            key: key, rows: rows, bytes: bytes, rowsBytes: rowsBytes,
            sha256: hex(objectHash.finalize()), rowsSHA256: hex(rowsHash.finalize()),
            spoolFile: spoolFile, firstEvent: firstEvent, lastEvent: lastEvent, partition: partition)
    }

    private func makeRoom(for count: Int) {
        guard end + count > buffer.count else { return }
        let limit = Self.dictionaryBytesMax + chunkBytes
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(limit, max(buffer.count * 2, end + count)), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<end]))
        buffer.deallocate()
        buffer = larger
    }

    private func flush(isLast: Bool, through writer: ChunkWriter) throws {
        let dictionary = UnsafeRawBufferPointer(rebasing: buffer[0..<start])
        let chunk = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
        frame.update(chunk)
        rowsHash.update(bufferPointer: chunk)
        rowsBytes += chunk.count
        let written = try writer.write(
            chunk, dictionary: dictionary, header: isCreated ? [] : GzipFrame.header,
            trailer: isLast ? frame.trailer : [], isLast: isLast, to: spoolFile, create: !isCreated,
            hash: &objectHash)
        isCreated = true
        bytes += written
        let kept = min(end, Self.dictionaryBytesMax)
        if let base = buffer.baseAddress { memmove(base, base + (end - kept), kept) }
        start = kept
        end = kept
    }
}
