// The bytes of a request as libcurl pulls them: from memory or from a file, again from the start when it must resend.
// What must stay true: exactly `length` bytes go out, or the transfer ends with an error; never more, never fewer.
import Glibc
import HTTP

/// One upload's source. Confined to the event loop.
final class RequestBody {
    let length: Int
    /// Why reading failed; the transfer's own error then only says that a callback gave up.
    private(set) var failure: String?
    private let bytes: [UInt8]
    private let descriptor: Int32
    private var position = 0

    /// Throws text for the message when the file cannot be opened or has another size than announced.
    init(_ body: HTTPBody) throws(BodyFailure) {
        length = body.length
        switch body {
        case .none:
            bytes = []
            descriptor = -1
        case .bytes(let given):
            bytes = given
            descriptor = -1
        case .file(let path, let length):
            bytes = []
            let opened = open(path, O_RDONLY | O_CLOEXEC)
            guard opened >= 0 else { throw BodyFailure("body file \(path) cannot be opened: \(systemText(errno))") }
            var status = stat()
            guard fstat(opened, &status) == 0, Int(status.st_size) == length else {
                close(opened)
                throw BodyFailure("body file \(path) has \(status.st_size) bytes, not the announced \(length)")
            }
            descriptor = opened
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The next bytes; 0 at the end, nil when reading failed.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let wanted = min(buffer.count, length - position)
        guard wanted > 0, let base = buffer.baseAddress else { return 0 }
        if descriptor < 0 {
            bytes.withUnsafeBytes { source in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position..<position + wanted]))
            }
            position += wanted
            return wanted
        }
        var count = pread(descriptor, base, wanted, off_t(position))
        while count < 0 && errno == EINTR { count = pread(descriptor, base, wanted, off_t(position)) }
        guard count > 0 else {
            failure = count == 0 ? "the body file became shorter" : "the body file: \(systemText(errno))"
            return nil
        }
        position += count
        return count
    }

    /// libcurl rewinds when a kept connection turned out to be closed and the request goes out again.
    func seek(to offset: Int) -> Bool {
        guard (0...length).contains(offset) else { return false }
        position = offset
        return true
    }
}

struct BodyFailure: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }
