// Configuration files on disk. The thin part: system calls and nothing to decide.
import Diagnostics
import Glibc

struct FluentdDisk: FluentdFiles {
    /// A configuration is some pages of text; a larger file is a mistake.
    static let bytesMax = 4 << 20
    /// Fluentd's position file has a line for each file that was ever watched.
    static let positionBytesMax = 64 << 20

    func read(_ path: String) throws(FluentdConfigError) -> [UInt8] { try Self.read(path, bytesMax: Self.bytesMax) }

    static func read(_ path: String, bytesMax: Int) throws(FluentdConfigError) -> [UInt8] {
        func failure(_ cause: String, _ code: ExitCode, _ hint: String) -> FluentdConfigError {
            FluentdConfigError(place: FluentdPlace(file: path, line: 0), cause: cause, hint: hint, exitCode: code)
        }
        func failure(errno code: Int32) -> FluentdConfigError {
            let isDenied = code == EACCES || code == EPERM
            return failure(
                "cannot be read: \(String(cString: strerror(code)))", isDenied ? .permission : .temporary,
                isDenied ? "run it as a user who may read the file" : "check the path")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw failure("is not a file", .jobFileInvalid, "give the path of a file")
        }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure(errno: errno) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
            guard bytes.count <= bytesMax else {
                throw failure(
                    "is larger than \(Quantities.text(bytes: bytesMax))", .jobFileInvalid, "give the right file")
            }
        }
    }

    func glob(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard Glibc.glob(pattern, GLOB_BRACE, nil, &result) == 0, let entries = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { entries[$0].map { String(cString: $0) } }
    }
}
