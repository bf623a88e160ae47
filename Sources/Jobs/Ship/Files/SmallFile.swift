// Small files of the state directory, read and written whole. The thin part: system calls and nothing to decide.
import Diagnostics
import Glibc

enum SmallFile {
    private static let blockBytes = 64 << 10

    /// All of a file; nil when there is none. A link is refused.
    static func read(_ path: String, bytesMax: Int, operation: String) throws(ShipError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 && errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw ShipError(operation, path, errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: blockBytes)
        while bytes.count <= bytesMax {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw ShipError(operation, path, errno: errno) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
        throw ShipError(
            operation, path, "is larger than \(bytesMax) bytes", hint: "look what made it grow",
            exitCode: .stateOrIdentity)
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
        var offset = 0
        while offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw ShipError(operation, path, errno: errno) }
            offset += written
        }
        if fsync(descriptor) != 0 { throw ShipError("fsync", path, errno: errno) }
    }

    /// Makes names in a directory survive a power failure.
    static func syncDirectory(_ path: String) throws(ShipError) {
        let folder = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard folder >= 0 else { throw ShipError("open", path, errno: errno) }
        defer { close(folder) }
        if fsync(folder) != 0 { throw ShipError("fsync", path, errno: errno) }
    }
}
