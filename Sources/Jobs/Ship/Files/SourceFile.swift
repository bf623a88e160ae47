// A log file, open for reading. The thin part: system calls and nothing to decide.
import Diagnostics
import Glibc

/// What stat(2) says of a file.
package struct FileFacts: Equatable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int
    /// Nanoseconds since 1970 of the last change.
    package var modified: Int
    package var isRegular: Bool
    package var linkCount: Int

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        modified = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
        isRegular = status.st_mode & S_IFMT == S_IFREG
        linkCount = Int(status.st_nlink)
    }

    /// Follows symbolic links; nil when nothing is there or it cannot be looked at.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
}

struct FileIdentity: Hashable {
    var device: UInt64
    var inode: UInt64
}

extension FilePosition {
    var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
}

/// Keeps its descriptor, so that a file that is renamed or removed meanwhile is read to its end.
final class SourceFile {
    let path: String
    let descriptor: Int32
    let identity: FileIdentity
    /// As it was when it was opened.
    let facts: FileFacts

    /// Regular files only. Symbolic links are followed: the file that they point to is what is read.
    init(path: String) throws(ShipError) {
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard opened >= 0 else { throw ShipError("open", path, errno: errno) }
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let code = errno
            close(opened)
            throw ShipError("read size of", path, errno: code)
        }
        let facts = FileFacts(status)
        guard facts.isRegular else {
            close(opened)
            throw ShipError(
                "open", path, "is not a regular file", hint: "give `files` patterns that match log files only",
                exitCode: .jobFileInvalid)
        }
        self.path = path
        self.facts = facts
        descriptor = opened
        identity = facts.identity
    }

    deinit { close(descriptor) }

    /// Size, time and links as they are now.
    func look() throws(ShipError) -> FileFacts {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ShipError("read size of", path, errno: errno) }
        return FileFacts(status)
    }

    /// Fills `buffer` from `offset` on; gives fewer bytes than it holds at the end of the file only.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(ShipError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let got = pread(
                descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, offset + filled)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw ShipError("read", path, errno: errno) }
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    /// The first bytes that are not NUL; none when there are none yet.
    func head() throws(ShipError) -> LogHead {
        var place = 0
        while true {
            let block = try bytes(at: place, count: place == 0 ? FilePosition.headBytesMax : Self.scanBytes)
            if let first = block.firstIndex(where: { $0 != 0 }) {
                let start = place + first
                return LogHead(start: start, bytes: try bytes(at: start, count: FilePosition.headBytesMax))
            }
            guard !block.isEmpty else { return LogHead() }
            place += block.count
            // What truncation left is a hole, which need not be read.
            place = max(place, Int(lseek(descriptor, place, Self.seekData)))
        }
    }

    private static let scanBytes = 64 << 10
    /// SEEK_DATA, lseek(2).
    private static let seekData: Int32 = 3

    /// Up to `count` bytes at `offset`; fewer at the end of the file only.
    func bytes(at offset: Int, count: Int) throws(ShipError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        let filled = try Self.fill(&bytes) { (buffer) throws(ShipError) in try read(at: offset, into: buffer) }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// `withUnsafeMutableBytes` with typed errors.
    private static func fill(
        _ bytes: inout [UInt8], _ body: (UnsafeMutableRawBufferPointer) throws(ShipError) -> Int
    ) throws(ShipError) -> Int {
        let result: Result<Int, ShipError> = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(ShipError) in try body(buffer) }
        }
        return try result.get()
    }
}
