// A URL from outside (AWS_ENDPOINT_URL, container and metadata endpoints), taken apart strictly: what this accepts
// goes into a Host header and a signature, so it holds no user info, no fragment and no control character.
package import HTTP

package struct EndpointURL: Sendable, Equatable {
    package var scheme: String
    /// Lower case; an IPv6 literal without brackets.
    package var host: String
    package var port: Int?
    /// Empty, or starts with `/`.
    package var path: String
    package var query: String?

    /// What is wrong with a URL, as the end of a sentence.
    package struct Problem: Error, Equatable {
        package var text: String
        init(_ text: String) { self.text = text }
    }

    package init(_ text: String) throws(Problem) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem("it contains spaces or characters that a URL cannot hold")
        }
        guard let separator = text.firstRange(of: "://") else { throw Problem("it does not start with https://") }
        scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" else { throw Problem("its scheme is neither https nor http") }
        let rest = text[separator.upperBound...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        let tail = rest[authorityEnd...]
        guard !authority.contains("@") else { throw Problem("it contains a user name or password") }
        guard !tail.contains("#") else { throw Problem("it contains a fragment (#)") }
        let mark = tail.firstIndex(of: "?") ?? tail.endIndex
        path = String(tail[..<mark])
        query = mark == tail.endIndex ? nil : String(tail[tail.index(after: mark)...])
        (host, port) = try Self.hostAndPort(authority)
    }

    private static func hostAndPort(_ authority: Substring) throws(Problem) -> (String, Int?) {
        let name: Substring
        let after: Substring
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw Problem("its address has no closing ]") }
            name = authority[authority.index(after: authority.startIndex)..<close]
            after = authority[authority.index(after: close)...]
            guard name.contains(":"), name.utf8.allSatisfy({ isHexDigit($0) || $0 == 0x3A || $0 == 0x2E }) else {
                throw Problem("its address in brackets is not IPv6")
            }
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            name = authority[..<colon]
            after = authority[colon...]
            guard !name.isEmpty else { throw Problem("it has no host") }
            guard name.utf8.allSatisfy(isHostByte) else { throw Problem("its host is not a host name") }
        }
        guard !after.isEmpty else { return (name.lowercased(), nil) }
        guard after.hasPrefix(":"), let port = Int(after.dropFirst()), (1...65_535).contains(port) else {
            throw Problem("its port is not a number from 1 to 65535")
        }
        return (name.lowercased(), port)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }

    /// The same place with another path and query, as the transport wants it.
    package func target(path: String, query: String? = nil) -> HTTPTarget {
        HTTPTarget(scheme: scheme, host: host, port: port, path: path.isEmpty ? "/" : path, query: query)
    }

    /// `localhost`, 127.0.0.0/8 in plain dotted form, or `::1`: the only hosts that http is accepted for, besides
    /// the metadata addresses of AWS.
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" || host == "0:0:0:0:0:0:0:1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "127" else { return false }
        return parts.allSatisfy { part in
            guard let value = UInt8(part) else { return false }
            return String(value) == part
        }
    }
}
