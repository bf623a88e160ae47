// Small files of the state directory, read and written whole. The system calls are those of `AtomicFile`; here the steps
// are apart, because a crash between any two of them is tested, and errors are the shipper's.
import Diagnostics
import Glibc

enum SmallFile {
    /// All of a file; nil when there is none. A link is refused.
    static func read(_ path: String, bytesMax: Int, operation: String) throws(ShipError) -> [UInt8]? {
        do throws(FileError) {
            return try AtomicFile.read(path, bytesMax: bytesMax)
        } catch {
            guard error.errnoValue == EFBIG else { throw ShipError(operation, path, errno: error.errnoValue) }
            throw ShipError(
                operation, path, "is larger than \(bytesMax) bytes", hint: "look what made it grow",
                exitCode: .stateOrIdentity)
        }
    }

    /// Writes and fsyncs a new file, replacing what stood under the name.
    static func write(_ bytes: [UInt8], to path: String, operation: String) throws(ShipError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw ShipError(operation, path, errno: errno) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, path, operation: operation)
    }

    /// Writes all of `bytes` and fsyncs.
    static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String, operation: String) throws(ShipError) {
        let reason = AtomicFile.fill(descriptor, bytes)
        guard reason == 0 else { throw ShipError(operation, path, errno: reason) }
        if fsync(descriptor) != 0 { throw ShipError("fsync", path, errno: errno) }
    }

    /// Makes names in a directory survive a power failure.
    static func syncDirectory(_ path: String) throws(ShipError) {
        do throws(FileError) {
            try AtomicFile.syncFolder(path)
        } catch {
            throw ShipError(error.operation, path, errno: error.errnoValue)
        }
    }
}
