// HTTPS_PROXY and NO_PROXY, read once. The credentials go to libcurl by options of their own, so that no message that
// quotes the proxy can show them.
import HTTP

/// One proxy and the hosts that it is not used for.
struct ProxyRule: Sendable {
    /// `http://host:port` without credentials.
    let url: String
    /// `host:port`, for messages.
    let peer: String
    let user: String?
    let password: String?
    private let exceptions: [Exception]

    private enum Exception: Sendable {
        case everything
        /// The name itself and everything below it.
        case domain(String)
        case block(bytes: HostAddress, prefixLength: Int)
    }

    /// Nil when `text` is nil or empty. Throws `.proxy` for what is not a proxy's URL; the text itself is not quoted.
    init?(_ text: String?, noProxy: String?) throws(HTTPTransportError) {
        guard let text, !text.isEmpty else { return nil }
        func refuse(_ why: String) -> HTTPTransportError {
            HTTPTransportError(kind: .proxy, host: "proxy", message: why)
        }
        var scheme = "http"
        var rest = text[...]
        if let mark = text.firstRange(of: "://") {
            scheme = text[..<mark.lowerBound].lowercased()
            rest = text[mark.upperBound...]
        }
        guard scheme == "http" || scheme == "https" else {
            throw refuse("HTTPS_PROXY names a scheme other than http and https")
        }
        rest = rest.prefix { $0 != "/" }
        var user: String?
        var password: String?
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = percentDecoded(parts[0])
            password = parts.count > 1 ? percentDecoded(parts[1]) : ""
            rest = rest[rest.index(after: at)...]
        }
        let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") }
        guard !rest.isEmpty, isPlain else { throw refuse("HTTPS_PROXY names no host") }
        self.url = "\(scheme)://\(rest)"
        self.peer = String(rest)
        self.user = user
        self.password = password
        self.exceptions = (noProxy ?? "").split { $0 == "," || $0.isWhitespace }.map { ProxyRule.exception($0) }
    }

    /// False when NO_PROXY names the host. `host` is lower case, IPv6 without brackets.
    func applies(to host: String) -> Bool {
        let address = HostAddress(host)
        return !exceptions.contains { exception in
            switch exception {
            case .everything: true
            case .domain(let name): host == name || host.hasSuffix(".\(name)")
            case .block(let block, let prefixLength):
                address?.isInside(block, prefixLength: prefixLength) == true
            }
        }
    }

    private static func exception(_ entry: Substring) -> Exception {
        if entry == "*" { return .everything }
        let parts = entry.split(separator: "/", maxSplits: 1)
        let bare = parts[0].filter { $0 != "[" && $0 != "]" }
        if let address = HostAddress(bare) {
            let length = parts.count == 2 ? Int(parts[1]) ?? -1 : address.bytes.count * 8
            return .block(bytes: address, prefixLength: length)
        }
        let name = entry.lowercased()
        return .domain(name.hasPrefix("*.") ? String(name.dropFirst(2)) : String(name.drop { $0 == "." }))
    }
}

private func percentDecoded(_ text: Substring) -> String {
    var out: [UInt8] = []
    let bytes = Array(text.utf8)
    var i = 0
    while i < bytes.count {
        if bytes[i] == UInt8(ascii: "%"), i + 2 < bytes.count,
            let value = UInt8(String(decoding: bytes[(i + 1)...(i + 2)], as: UTF8.self), radix: 16)
        {
            out.append(value)
            i += 3
        } else {
            out.append(bytes[i])
            i += 1
        }
    }
    return String(decoding: out, as: UTF8.self)
}
