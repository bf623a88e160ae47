// A log file, open for reading. The thin part: system calls and nothing to decide.
import Diagnostics
import Glibc

/// Keeps its descriptor, so that a file that is renamed or removed meanwhile is read to its end.
final class SourceFile {
    let path: String
    let device: UInt64
    let inode: UInt64
    /// Size when it was opened: a run ships up to here.
    let size: Int
    /// Seconds and nanoseconds of the last change.
    let modified: (Int, Int)
    private let descriptor: Int32

    /// Regular files only; a symbolic link as the last part of the path is refused.
    init(path: String) throws(ShipError) {
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard opened >= 0 else { throw ShipError("open", path, errno: errno) }
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let code = errno
            close(opened)
            throw ShipError("read size of", path, errno: code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw ShipError(
                "open", path, "is not a regular file", hint: "give `files` patterns that match log files only",
                exitCode: .jobFileInvalid)
        }
        self.path = path
        descriptor = opened
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        modified = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }

    deinit { close(descriptor) }

    /// Up to `count` bytes at `offset`; fewer at the end of the file only.
    func bytes(at offset: Int, count: Int) throws(ShipError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            while filled < count {
                let got = pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, offset + filled)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { return }
                filled += got
            }
        }
        guard failure == 0 else { throw ShipError("read", path, errno: failure) }
        return bytes
    }
}
