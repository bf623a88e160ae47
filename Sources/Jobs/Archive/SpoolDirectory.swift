// The folder where objects wait for their upload. A file here either belongs to an open intent or is a leftover of a
// run that died before it wrote one; leftovers are removed when the next run starts.

package import Diagnostics
import Glibc

/// Why a spool file could not be written or read. Nothing is lost: the records are still on the stream.
package struct SpoolError: DiagnosticError, Equatable {
    package var operation: String
    package var path: String
    package var errnoValue: Int32

    package var isTransient: Bool { errnoValue == ENOSPC || errnoValue == EDQUOT || errnoValue == EIO }
    package var exitCode: ExitCode { errnoValue == EACCES || errnoValue == EPERM ? .permission : .temporary }
    package var diagnostic: Diagnostic {
        let hint: String? =
            switch errnoValue {
            case ENOSPC, EDQUOT: "free space on the file system of state.directory, then run again: nothing is lost"
            case EROFS: "state.directory must be on a file system that can be written"
            case EACCES, EPERM: "state.directory and its files must belong to the user that runs sluice"
            case EMFILE, ENFILE: "raise the limit of open files (LimitNOFILE=)"
            default: nil
            }
        return Diagnostic(
            operation: operation, subject: path, cause: String(cString: strerror(errnoValue)), hint: hint)
    }
}

/// The spool of one job. All paths are `<directory>/<name>`; names never contain a slash.
package struct SpoolDirectory: Sendable {
    package let path: String

    /// Opens the spool, making the folder (0700) when it is missing.
    package init(path: String) throws(SpoolError) {
        self.path = path
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw SpoolError(operation: "make spool directory", path: path, errnoValue: errno)
        }
    }

    package func path(of name: String) -> String { "\(path)/\(name)" }

    /// Appends bytes to a file, creating it (0600) first. The descriptor is closed again: a batch may have more
    /// open objects than a process may have open files.
    package func append(_ bytes: borrowing [UInt8], to name: String, create: Bool) throws(SpoolError) {
        let target = path(of: name)
        let flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_TRUNC : 0)
        let descriptor = open(target, flags, 0o600)
        guard descriptor >= 0 else { throw SpoolError(operation: "open spool file", path: target, errnoValue: errno) }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw SpoolError(operation: "write spool file", path: target, errnoValue: errno)
            }
            offset += written
        }
    }

    /// Makes a file's content survive a power failure. After a failed fsync the state of the file is unknown, so
    /// it is never tried again (PostgreSQL, "fsyncgate").
    package func sync(_ name: String) throws(SpoolError) {
        try sync(path: path(of: name), flags: O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    }

    /// Makes the names in the folder survive a power failure.
    package func syncDirectory() throws(SpoolError) {
        try sync(path: path, flags: O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    }

    private func sync(path target: String, flags: Int32) throws(SpoolError) {
        let descriptor = open(target, flags)
        guard descriptor >= 0 else { throw SpoolError(operation: "open for fsync", path: target, errnoValue: errno) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw SpoolError(operation: "fsync", path: target, errnoValue: errno) }
    }

    /// Removes a file; one that is already gone is fine.
    package func remove(_ name: String) throws(SpoolError) {
        let target = path(of: name)
        if unlink(target) != 0, errno != ENOENT {
            throw SpoolError(operation: "remove spool file", path: target, errnoValue: errno)
        }
    }

    /// Size in bytes of a regular file; nil when there is none.
    package func size(of name: String) -> Int? {
        var info = stat()
        guard lstat(path(of: name), &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(info.st_size)
    }

    /// The names in the folder, sorted.
    package func names() throws(SpoolError) -> [String] {
        guard let directory = opendir(path) else {
            throw SpoolError(operation: "read spool directory", path: path, errnoValue: errno)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Reads a file in blocks of at most 1 MiB.
    package func read(_ name: String, each: (UnsafeRawBufferPointer) -> Void) throws(SpoolError) {
        let target = path(of: name)
        let descriptor = open(target, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw SpoolError(operation: "open spool file", path: target, errnoValue: errno) }
        defer { close(descriptor) }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { block.deallocate() }
        while true {
            let count = Glibc.read(descriptor, block.baseAddress, block.count)
            if count == 0 { return }
            if count < 0 {
                if errno == EINTR { continue }
                throw SpoolError(operation: "read spool file", path: target, errnoValue: errno)
            }
            each(UnsafeRawBufferPointer(rebasing: block[0..<count]))
        }
    }
}
