// Compresses one chunk and appends it to a spool file. One compressor and one output buffer serve all open objects
// of a shard.

import Crypto
import Gzip

/// Not Sendable: it belongs to the batch builder of one shard.
final class ChunkWriter {
    private let compressor: any ChunkCompressor
    private let spool: SpoolDirectory
    private let failpoints: Failpoints
    private var output: [UInt8] = []

    var dictionaryBytesMax: Int { compressor.dictionaryBytesMax }

    init(compressor: any ChunkCompressor, spool: SpoolDirectory, failpoints: Failpoints) {
        self.compressor = compressor
        self.spool = spool
        self.failpoints = failpoints
    }

    /// Appends header, compressed chunk and trailer to the file and to `hash`; gives the number of bytes appended.
    func write(
        _ chunk: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer, header: [UInt8], trailer: [UInt8],
        isLast: Bool, to file: String, create: Bool, hash: inout SHA256
    ) throws -> Int {
        output.removeAll(keepingCapacity: true)
        output += header
        try compressor.deflate(chunk, dictionary: dictionary, isLast: isLast, into: &output)
        output += trailer
        output.withUnsafeBytes { hash.update(bufferPointer: $0) }
        try failpoints.hit(.spoolWriteBefore)
        try spool.append(output, to: file, create: create)
        try failpoints.hit(.spoolWriteAfter)
        return output.count
    }
}
