// One run of a job at a time on one host. The lock goes away with the process, however it ends; the file stays.

import Glibc
import Synchronization

/// Holds `<state directory>/lock` until `release` or the end of the process.
package final class JobLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes the lock or throws at once (exit 79), naming the process that holds it. The directory must be prepared.
    package init(directory: StateDirectory) throws(StateError) {
        let path = directory.lockPath
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw failure("open job lock", path, errno) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            defer { close(opened) }
            guard reason == EWOULDBLOCK else { throw failure("take job lock", path, reason) }
            let holder = Self.holder(opened).map { "process \($0)" } ?? "another process"
            throw StateError(
                .locked, "take job lock", path, "\(holder) is running this job",
                hint: "wait until it has ended; the next scheduled run continues by itself")
        }
        let text = "\(getpid())\n"
        let isWritten =
            ftruncate(opened, 0) == 0 && text.withCString { pwrite(opened, $0, text.utf8.count, 0) } == text.utf8.count
        if !isWritten {
            let reason = errno
            close(opened)
            throw failure("write job lock", path, reason)
        }
        descriptor = Mutex(opened)
    }

    deinit { release() }

    /// Gives the lock up. The file is not removed: a waiting process could hold a lock on a file without a name.
    package func release() {
        descriptor.withLock { value in
            if value >= 0 { close(value) }
            value = -1
        }
    }

    /// The process that runs the job now; nil when none does. Nothing is locked for the look, so a run that starts at
    /// this moment is not turned away.
    package static func holder(in directory: StateDirectory) -> Int? {
        let opened = open(directory.lockPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard opened >= 0 else { return nil }
        defer { close(opened) }
        var lock = stat()
        guard fstat(opened, &lock) == 0, let process = holder(opened), process != getpid() else { return nil }
        // The number stays in the file after the process is gone and may be another's now: the holder has it open.
        let folder = "/proc/\(process)/fd"
        guard let descriptors = opendir(folder) else { return nil }
        defer { closedir(descriptors) }
        while let entry = readdir(descriptors) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var info = stat()
            if stat("\(folder)/\(name)", &info) == 0, info.st_dev == lock.st_dev, info.st_ino == lock.st_ino {
                return process
            }
        }
        return nil
    }

    private static func holder(_ descriptor: Int32) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int(String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
