// Small files that readers must find whole: written beside the target, then renamed over it.

package import Diagnostics
import Glibc

package enum AtomicFile {
    /// Replaces `path` by a file of these bytes; a reader sees the old one or the new one. Links are not followed, and
    /// what a killed writer left behind is taken away by the next one.
    ///
    /// - Parameters:
    ///   - mode: of the new file, whatever the umask.
    ///   - isDurable: the file must survive a power failure.
    package static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32, isDurable: Bool
    ) throws(FileError) {
        let temporary = path + ".tmp"
        if unlink(temporary) != 0, errno != ENOENT { throw FileError("remove", temporary, errno) }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileError("make", temporary, errno) }
        var reason = fill(descriptor, bytes)
        if reason == 0, fchmod(descriptor, mode) != 0 { reason = errno }
        if reason == 0, isDurable, fsync(descriptor) != 0 { reason = errno }
        if close(descriptor) != 0, reason == 0 { reason = errno }
        guard reason == 0 else {
            unlink(temporary)
            throw FileError("write", temporary, reason)
        }
        guard rename(temporary, path) == 0 else {
            reason = errno
            unlink(temporary)
            throw FileError("replace", path, reason)
        }
        if isDurable { try syncFolder(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))) }
    }

    /// The whole file; nil when there is none. Links are refused; a file that is larger gives EFBIG.
    package static func read(_ path: String, bytesMax: Int) throws(FileError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT || errno == ENOTDIR { return nil }
        guard descriptor >= 0 else { throw FileError("open", path, errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= bytesMax {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError("read", path, errno) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
        throw FileError("read", path, EFBIG)
    }

    /// All of `bytes` to where the descriptor stands; 0, or errno.
    static func fill(_ descriptor: Int32, _ bytes: [UInt8]) -> Int32 {
        var offset = 0
        while offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return errno }
            offset += written
        }
        return 0
    }

    /// Makes names in a folder survive a power failure; the empty path is the root.
    static func syncFolder(_ folder: String) throws(FileError) {
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard descriptor >= 0 else { throw FileError("open", folder, errno) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw FileError("fsync", folder, errno) }
    }
}

/// Why a small file could not be written or read.
package struct FileError: DiagnosticError, Equatable {
    package var operation: String
    package var path: String
    package var errnoValue: Int32

    init(_ operation: String, _ path: String, _ errnoValue: Int32) {
        self.operation = operation
        self.path = path
        self.errnoValue = errnoValue
    }

    package var isTransient: Bool { errnoValue == ENOSPC || errnoValue == EDQUOT || errnoValue == EIO }
    package var exitCode: ExitCode { errnoValue == EACCES || errnoValue == EPERM ? .permission : .temporary }
    package var diagnostic: Diagnostic {
        let hint: String? =
            switch errnoValue {
            case ENOENT, ENOTDIR: "make the directory, or give another path in the job file"
            case EACCES, EPERM: "the user that runs sluice must be allowed to write in the directory"
            case EROFS: "the file system is read-only (with systemd: ReadWritePaths=)"
            case ENOSPC, EDQUOT: "free space on the file system"
            default: nil
            }
        return Diagnostic(
            operation: operation, subject: path, cause: String(cString: strerror(errnoValue)), hint: hint)
    }
}
