// One run of a job at a time. The lock is the kernel's (flock): it ends with the process, however that ends. The file
// stays: removing it would let two runs lock two files of the same name.
import Diagnostics
import Glibc

final class ShipLock {
    private var descriptor: Int32

    /// Takes the lock at once or not at all: exit 79 says that another run holds it.
    init(directory: String) throws(ShipError) {
        let path = "\(directory)/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw ShipError("open lock", path, errno: errno) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            let holder = Self.holder(descriptor)
            close(descriptor)
            guard code == EWOULDBLOCK else { throw ShipError("lock", path, errno: code) }
            throw ShipError(
                "lock", path, "another run of this job holds it\(holder)",
                hint: "wait until it ends; for overlapping schedules this is normal", exitCode: .jobLocked)
        }
        // For the message above only.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    func release() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    deinit { release() }

    private static func holder(_ descriptor: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &text, text.count, 0)
        let digits = text.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? "" : ", process \(String(decoding: digits, as: UTF8.self))"
    }
}
