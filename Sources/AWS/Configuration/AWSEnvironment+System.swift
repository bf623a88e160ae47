// The real files and processes behind `AWSEnvironment`. The executable reads its variables and the home directory
// and passes them in; what stands here only opens the paths and starts the programs that it is told to.
import CivilTime
import Glibc

extension AWSEnvironment {
    /// Files and processes of this machine, with variables and a home directory read elsewhere.
    package static func system(variables: [String: String], homeDirectory: String) -> AWSEnvironment {
        AWSEnvironment(
            variables: variables, homeDirectory: homeDirectory,
            readFile: { try SystemFile.read($0) },
            fileModified: { SystemFile.modified($0) },
            writeFile: { try SystemFile.replace($0, with: $1) },
            runProcess: { try await SystemProcess.run($0) })
    }
}

private enum SystemFile {
    static func read(_ path: String) throws -> [UInt8]? {
        // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileFailure(systemMessage(errno))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure(systemMessage(errno)) }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFCHR else { throw FileFailure("is not a regular file") }

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= INIFile.bytesMax {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure(systemMessage(errno))
            }
            bytes += chunk[0..<count]
        }
        throw FileFailure("is larger than \(INIFile.bytesMax) bytes")
    }

    static func modified(_ path: String) -> Timestamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Timestamp(
            microseconds: Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1_000)
    }

    static func replace(_ path: String, with bytes: [UInt8]) throws {
        let temporary = "\(path).\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFailure(systemMessage(errno)) }
        do {
            defer { close(descriptor) }
            var written = 0
            while written < bytes.count {
                let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw FileFailure(systemMessage(errno))
                }
                written += count
            }
            guard fsync(descriptor) == 0 else { throw FileFailure(systemMessage(errno)) }
            guard rename(temporary, path) == 0 else { throw FileFailure(systemMessage(errno)) }
        } catch {
            unlink(temporary)
            throw error
        }
    }
}

/// What the system says to an errno.
func systemMessage(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
