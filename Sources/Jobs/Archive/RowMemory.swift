// The rows of one object that wait for compression. The addresses of a whole chunk are reserved at once and never move;
// memory is what has been touched of them, and can be given back while the object stays open.

import Diagnostics
import Glibc

/// Not Sendable: it belongs to one open object.
final class RowMemory {
    /// Memory is counted in steps of this many bytes, a multiple of every page size.
    static let stepBytes = 16 << 10

    /// All addresses; only the first `touchedBytes` may hold memory.
    let bytes: UnsafeMutableRawBufferPointer
    private(set) var touchedBytes = 0

    /// - Parameter count: the most bytes that will be used.
    init(count: Int) throws {
        let rounded = Self.rounded(count)
        let base = mmap(
            nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let base, base != MAP_FAILED else {
            throw ArchiveError(
                "open object", "\(rounded) bytes of memory", String(cString: strerror(errno)),
                hint: "lower limits.memory, limits.parallel_shards or seal.partitions", exitCode: .temporary,
                isTransient: true)
        }
        // Huge pages would make memory of addresses that nothing was written to.
        madvise(base, rounded, MADV_NOHUGEPAGE)
        bytes = UnsafeMutableRawBufferPointer(start: base, count: rounded)
    }

    deinit { munmap(bytes.baseAddress, bytes.count) }

    /// Counts the memory of the first `count` bytes, which are going to be written.
    /// - Returns: by how much `touchedBytes` has grown.
    func touch(_ count: Int) -> Int {
        guard count > touchedBytes else { return 0 }
        let before = touchedBytes
        touchedBytes = Self.rounded(count)
        return touchedBytes - before
    }

    /// Gives the memory behind the first `count` bytes back; what was there is lost.
    /// - Returns: by how much `touchedBytes` has shrunk.
    func release(keeping count: Int) -> Int {
        let kept = Self.rounded(count)
        guard kept < touchedBytes else { return 0 }
        let freed = touchedBytes - kept
        madvise(bytes.baseAddress?.advanced(by: kept), freed, MADV_DONTNEED)
        touchedBytes = kept
        return freed
    }

    private static func rounded(_ count: Int) -> Int { (count + stepBytes - 1) / stepBytes * stepBytes }
}
