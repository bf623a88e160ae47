// Which library compresses. Any of them makes gzip that every reader takes; they differ in CPU time and in bytes, and
// rows are told apart by their own hash, so hosts with different engines may work for one job.

/// The choice of a job file.
package enum GzipEngine: String, CaseIterable, Sendable {
    /// libdeflate where it is installed, else zlib.
    case auto
    case zlib
    case libdeflate

    /// The engine that made what a manifest or a plan describes, as far as this machine has it.
    package init(madeBy name: String) {
        self = name.hasPrefix("zlib") ? .zlib : .auto
    }

    /// - Parameter level: 1 (fast) to 9 (small); each library has its own idea of them.
    /// - Throws: `.level`; `.absent` for `libdeflate` on a machine without it; `.engine` when there is no memory.
    package func compressor(level: Int) throws(GzipError) -> any ChunkCompressor {
        switch (self, Libdeflate.shared) {
        case (.zlib, _), (.auto, nil): return try ChunkDeflater(level: level)
        case (.libdeflate, nil): throw .absent(Libdeflate.name)
        case (_, let library?): return try JoiningDeflater(level: level, library: library)
        }
    }
}

/// Makes deflate blocks of chunks that are joined into gzip members. Not Sendable: it belongs to one worker, and serves
/// any number of members that grow side by side. The same library, level and chunks give the same bytes.
package protocol ChunkCompressor: AnyObject {
    /// The library and its version, as manifests record it: other versions may give other bytes.
    var engine: String { get }
    /// How many bytes before a chunk it makes use of.
    var dictionaryBytesMax: Int { get }

    /// Appends the raw deflate blocks of `chunk` to `out`, ended on a byte boundary so that the next chunk of the same
    /// member may be appended, or closed by the final block when `isLast`.
    ///
    /// - Parameters:
    ///   - dictionary: the bytes of the member right before the chunk, up to `dictionaryBytesMax`; empty for its first
    ///     chunk.
    ///   - isLast: true once for each member, also when the chunk is empty.
    func deflate(
        _ chunk: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer, isLast: Bool, into out: inout [UInt8]
    ) throws(GzipError)
}
