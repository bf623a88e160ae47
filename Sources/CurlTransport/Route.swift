// Which way a request goes, decided before libcurl sees it: is the target allowed, and does a proxy stand between.
// Pure; what must stay true: nothing but loopback and the fixed metadata addresses is ever reached over plain HTTP,
// and neither of those ever through a proxy.
import HTTP

/// The plan for one request.
struct Route: Equatable {
    var usesProxy: Bool

    /// Link-local addresses at which EC2, ECS and EKS hand out credentials; they speak plain HTTP only.
    static let metadataHosts: Set<String> = [
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23",
    ]

    init(request: HTTPRequest, proxy: ProxyRule?) throws(HTTPTransportError) {
        let target = request.target
        let host = target.host.lowercased()
        guard Route.isWellFormed(host), target.port.map({ (1...65_535).contains($0) }) ?? true else {
            throw request.refusal(.other, "not a host name or port that can be called")
        }
        let isLoopback = host == "localhost" || HostAddress(host)?.isLoopback == true
        let isMetadata = Route.metadataHosts.contains(host)
        switch target.scheme {
        case "https": break
        case "http" where isLoopback || isMetadata: break
        default: throw request.refusal(.refusedScheme, "\(target.scheme) is not accepted for this host")
        }
        usesProxy = !(isLoopback || isMetadata || request.bypassesProxy) && proxy?.applies(to: host) == true
    }

    /// Letters, digits, `.`, `-`, `_`, or an IPv6 address: nothing that a URL parser could read otherwise.
    private static func isWellFormed(_ host: String) -> Bool {
        if host.utf8.contains(UInt8(ascii: ":")) { return HostAddress(host) != nil }
        return (1...255).contains(host.utf8.count)
            && host.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }
}

extension HTTPRequest {
    /// `host:port` for messages.
    var peer: String {
        let name = target.host.contains(":") ? "[\(target.host)]" : target.host
        return "\(name):\(target.port ?? (target.scheme == "https" ? 443 : 80))"
    }

    func refusal(_ kind: HTTPTransportError.Kind, _ message: String) -> HTTPTransportError {
        HTTPTransportError(kind: kind, host: peer, message: message)
    }
}
