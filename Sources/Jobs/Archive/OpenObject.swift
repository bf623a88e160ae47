// One object of a batch while it grows: rows gather in a chunk, full chunks are compressed and appended to the spool
// file. Memory is one chunk and its dictionary at most, whatever the object's size, and less when the batch has many
// open objects (`relieve`); the file is one gzip member.

import Batching
import CivilTime
import Crypto
import Glibc
import Gzip

/// Not Sendable: it belongs to the batch builder of one shard.
final class OpenObject {
    let key: String
    let partition: String
    let spoolFile: String
    private(set) var rows = 0
    /// Compressed bytes in the spool file so far.
    private(set) var bytes = 0
    private(set) var firstEvent: Timestamp
    private(set) var lastEvent: Timestamp

    /// Memory that rows and dictionary take now.
    var memoryBytes: Int { memory.touchedBytes }

    private let chunkBytes: Int
    private let dictionaryBytesMax: Int
    private var frame = GzipFrame()
    private var objectHash = SHA256()
    private var rowsHash = SHA256()
    private var rowsBytes = 0
    private var isCreated = false

    /// `[0, start)` is the dictionary, `[start, end)` the rows that wait.
    private let memory: RowMemory
    private var start = 0
    private var end = 0

    init(
        key: String, partition: String, spoolFile: String, chunkBytes: Int, dictionaryBytesMax: Int,
        firstEvent: Timestamp
    ) throws {
        self.key = key
        self.partition = partition
        self.spoolFile = spoolFile
        self.chunkBytes = chunkBytes
        self.dictionaryBytesMax = dictionaryBytesMax
        self.firstEvent = firstEvent
        lastEvent = firstEvent
        memory = try RowMemory(count: dictionaryBytesMax + chunkBytes)
    }

    /// Adds one row. Full chunks go through `writer` into the spool file.
    /// - Returns: by how much the object's memory has grown.
    func append(_ row: UnsafeRawBufferPointer, event: Timestamp, through writer: ChunkWriter) throws -> Int {
        rows += 1
        if event < firstEvent { firstEvent = event }
        if event > lastEvent { lastEvent = event }
        var rest = row
        var grown = 0
        while !rest.isEmpty {
            let room = chunkBytes - (end - start)
            let taken = min(room, rest.count)
            grown += memory.touch(end + taken)
            UnsafeMutableRawBufferPointer(rebasing: memory.bytes[end..<end + taken])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[0..<taken]))
            end += taken
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            if end - start == chunkBytes { try flush(isLast: false, through: writer) }
        }
        return grown
    }

    /// Gives memory back: what holds no rows, and if that is little, what is left when the rows have been compressed.
    /// - Returns: by how much the object's memory has shrunk.
    func relieve(through writer: ChunkWriter) throws -> Int {
        let before = memory.touchedBytes
        let freed = memory.release(keeping: end)
        if freed > before / 2 || start == end { return freed }
        try flush(isLast: false, through: writer)
        return freed + memory.release(keeping: end)
    }

    /// Compresses what is left, ends the gzip member and gives the object's description.
    func finish(through writer: ChunkWriter) throws -> BatchObject {
        try flush(isLast: true, through: writer)
        return BatchObject(
            key: key, rows: rows, bytes: bytes, rowsBytes: rowsBytes,
            sha256: hex(objectHash.finalize()), rowsSHA256: hex(rowsHash.finalize()),
            spoolFile: spoolFile, firstEvent: firstEvent, lastEvent: lastEvent, partition: partition)
    }

    private func flush(isLast: Bool, through writer: ChunkWriter) throws {
        let dictionary = UnsafeRawBufferPointer(rebasing: memory.bytes[0..<start])
        let chunk = UnsafeRawBufferPointer(rebasing: memory.bytes[start..<end])
        frame.update(chunk)
        rowsHash.update(bufferPointer: chunk)
        rowsBytes += chunk.count
        let written = try writer.write(
            chunk, dictionary: dictionary, header: isCreated ? [] : GzipFrame.header,
            trailer: isLast ? frame.trailer : [], isLast: isLast, to: spoolFile, create: !isCreated,
            hash: &objectHash)
        isCreated = true
        bytes += written
        let kept = min(end, dictionaryBytesMax)
        if kept > 0, let base = memory.bytes.baseAddress { memmove(base, base + (end - kept), kept) }
        start = kept
        end = kept
    }
}
