import Glibc

enum HostName {
    /// HOST_NAME_MAX of Linux is 64; POSIX allows 255.
    private static let bytesMax = 256

    /// What the kernel calls this machine; it goes into partition keys. No name service is asked.
    static func local() -> String {
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        let failed: Int32 = buffer.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return Int32(-1) }
            return gethostname(base.assumingMemoryBound(to: CChar.self), bytes.count - 1)
        }
        guard failed == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }
}
