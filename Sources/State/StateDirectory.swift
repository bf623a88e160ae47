// The directory that holds a job's database, lock and spool. It holds log data and checkpoints, so nobody else may
// read or change it: directory 0700, files 0600, and no link is followed inside it.

import Diagnostics
import Glibc

package struct StateDirectory: Sendable, Equatable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var databasePath: String { "\(path)/state.sqlite" }
    package var lockPath: String { "\(path)/lock" }

    /// Makes the directory where it is missing and refuses one that others could have written to.
    package func prepare() throws(StateError) {
        try makeParents()
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw failure("make state directory", path, errno) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open state directory", path, errno) }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw failure("examine state directory", path, errno) }
        try refuseForeign(info, path, "state directory")
        guard access(path, W_OK | X_OK) == 0 else { throw failure("write in state directory", path, errno) }
    }

    /// Makes names in the directory survive a power failure.
    func sync() throws(StateError) {
        try Self.sync(path, flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }

    /// Makes a file's content survive a power failure. A failed fsync is never tried again: the state of the file is
    /// unknown then.
    static func sync(_ path: String, flags: Int32 = O_RDONLY | O_CLOEXEC | O_NOFOLLOW) throws(StateError) {
        let descriptor = open(path, flags)
        guard descriptor >= 0 else { throw failure("open for fsync", path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("fsync", path, errno) }
    }

    /// What lies under `path`: nil for nothing, an error unless it is a regular file of our own.
    ///
    /// - Parameter mayBeRoots: root may look at the files of the user that runs the job.
    func examine(_ path: String, _ what: String, mayBeRoots: Bool = false) throws(StateError) -> Int? {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            if errno == ENOENT { return nil }
            throw failure("examine \(what)", path, errno)
        }
        guard info.st_mode & S_IFMT == S_IFREG else {
            throw StateError(
                .permission, "open \(what)", path, "it is not a regular file",
                hint: "somebody put a link or something else in its place; find out who, then remove it")
        }
        if !(mayBeRoots && geteuid() == 0) { try refuseForeign(info, path, what) }
        return Int(info.st_size)
    }

    private func refuseForeign(_ info: stat, _ path: String, _ what: String) throws(StateError) {
        guard info.st_uid == geteuid() else {
            throw StateError(
                .permission, "use \(what)", path,
                "it belongs to the user with id \(info.st_uid), sluice runs as \(geteuid())",
                hint: "run sluice as the owner, or `chown -R` the state directory to the user that runs it")
        }
        guard info.st_mode & 0o022 == 0 else {
            throw StateError(
                .permission, "use \(what)", path,
                "others may write to it (mode \(String(info.st_mode & 0o7777, radix: 8)))",
                hint: "make sure that nobody has changed it, then `chmod go-rwx \(path)`")
        }
    }

    /// How deep a path may be that is made here.
    private static let depthMax = 64

    private func makeParents() throws(StateError) {
        let parts = path.split(separator: "/").dropLast()
        guard parts.count <= Self.depthMax else { throw failure("make state directory", path, ENAMETOOLONG) }
        var parent = path.hasPrefix("/") ? "" : "."
        for part in parts {
            parent += "/\(part)"
            if mkdir(parent, 0o755) == 0 || errno == EEXIST { continue }
            // A parent that is there may lie where nobody may make anything.
            let reason = errno
            if access(parent, F_OK) != 0 { throw failure("make directory", parent, reason) }
        }
    }
}

/// An error of the file system as the operator should read it.
func failure(_ operation: String, _ path: String, _ reason: Int32) -> StateError {
    let kind: StateError.Kind =
        switch reason {
        case ENOSPC, EDQUOT: .diskFull
        case EROFS: .readOnly
        case EACCES, EPERM, ELOOP: .permission
        case ENOENT, ENOTDIR: .missing
        default: .io
        }
    return StateError(kind, operation, path, String(cString: strerror(reason)), hint: kind.hint)
}

extension StateError.Kind {
    static let rebuild = "`sluice state rebuild JOB` makes the state anew from the manifests in S3"

    /// What helps in general; nil where only the place of the error knows.
    var hint: String? {
        switch self {
        case .corrupt: "do not delete anything; \(Self.rebuild)"
        case .diskFull: "free space on the file system of state.directory, then run again: nothing is lost"
        case .readOnly: "state.directory must be on a file system that can be written"
        case .permission: "state.directory and its files must belong to the user that runs sluice"
        case .missing: "look at state.directory in the job file"
        case .busy: "another program has the file open for writing; end it, then run again"
        case .io: "look at the system log for errors of the disk; if the file is damaged, \(Self.rebuild)"
        case .foreign, .newer, .identity, .ownership, .locked, .brokenRule: nil
        }
    }
}
