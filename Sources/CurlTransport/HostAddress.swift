// What a host text is: an address, or a name. Used to decide where plain HTTP may go and what NO_PROXY matches.
import Glibc

/// An IPv4 (4 bytes) or IPv6 (16 bytes) address.
struct HostAddress: Equatable {
    var bytes: [UInt8]

    /// Strict: dotted quad, or RFC 4291 text without brackets and zone. `127.1` and `0x7f000001` are not addresses.
    init?(_ text: String) {
        var buffer = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &buffer) == 1 {
            bytes = Array(buffer.prefix(4))
        } else if inet_pton(AF_INET6, text, &buffer) == 1 {
            bytes = buffer
        } else {
            return nil
        }
    }

    /// 127.0.0.0/8 (RFC 1122 section 3.2.1.3) and ::1 (RFC 4291 section 2.5.3).
    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// True when the first `prefixLength` bits equal those of `block`; addresses of different families never match.
    func isInside(_ block: HostAddress, prefixLength: Int) -> Bool {
        guard bytes.count == block.bytes.count, (0...bytes.count * 8).contains(prefixLength) else { return false }
        let whole = prefixLength / 8
        guard bytes.prefix(whole) == block.bytes.prefix(whole) else { return false }
        let rest = prefixLength % 8
        guard rest > 0 else { return true }
        let mask = ~UInt8(0) << UInt8(8 - rest)
        return bytes[whole] & mask == block.bytes[whole] & mask
    }
}
