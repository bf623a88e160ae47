// One request as the transport sends it: nothing is added to the path, no redirect is followed.

/// Where a request goes. `path` and `query` are already percent-encoded and go out byte for byte.
package struct HTTPTarget: Sendable, Equatable {
    package var scheme: String
    /// Host name, or an IP literal (IPv6 without brackets).
    package var host: String
    /// Nil for the scheme's default port.
    package var port: Int?
    /// Starts with `/`.
    package var path: String
    /// Without the `?`; nil for none.
    package var query: String?

    package init(scheme: String, host: String, port: Int? = nil, path: String = "/", query: String? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.query = query
    }

    /// What the Host header says: the port is named only when it is not the scheme's default.
    package var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        guard let port, port != (scheme == "https" ? 443 : 80) else { return name }
        return "\(name):\(port)"
    }

    package var url: String { "\(scheme)://\(hostHeader)\(path)" + (query.map { "?\($0)" } ?? "") }
}

/// What a request carries. Every body has a known length: S3 refuses chunked uploads.
package enum HTTPBody: Sendable, Equatable {
    case none
    case bytes([UInt8])
    /// The whole file at `path`, which must not change until the call returns; `length` is its size in bytes.
    case file(path: String, length: Int)

    package var length: Int {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .file(_, let length): length
        }
    }
}

package struct HTTPHeader: Sendable, Equatable {
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Bounds on one call. Values must be positive.
package struct HTTPLimits: Sendable, Equatable {
    package var connectTimeout: Duration
    /// The transfer is given up when it is slower than `lowSpeedBytesPerSecond` for `lowSpeedTime`.
    package var lowSpeedBytesPerSecond: Int
    package var lowSpeedTime: Duration
    /// Whole call; nil for none (uploads are bounded by `lowSpeedTime` instead).
    package var totalTimeout: Duration?
    /// A longer response body is an error, not a cut.
    package var responseBytesMax: Int

    package init(
        connectTimeout: Duration = .milliseconds(3_100), lowSpeedBytesPerSecond: Int = 1,
        lowSpeedTime: Duration = .seconds(60), totalTimeout: Duration? = nil, responseBytesMax: Int = 64 << 20
    ) {
        self.connectTimeout = connectTimeout
        self.lowSpeedBytesPerSecond = lowSpeedBytesPerSecond
        self.lowSpeedTime = lowSpeedTime
        self.totalTimeout = totalTimeout
        self.responseBytesMax = responseBytesMax
    }
}

package struct HTTPRequest: Sendable {
    package var method: String
    package var target: HTTPTarget
    /// Sent in this order. The transport adds Host, Content-Length, and nothing else that S3 would want signed.
    package var headers: [HTTPHeader]
    package var body: HTTPBody
    package var limits: HTTPLimits
    /// Metadata endpoints (IMDS, container credentials) are never reached through a proxy.
    package var bypassesProxy: Bool
    /// Open a new connection: a retry after a 5xx should not meet the same broken peer.
    package var wantsFreshConnection: Bool

    package init(
        method: String, target: HTTPTarget, headers: [HTTPHeader] = [], body: HTTPBody = .none,
        limits: HTTPLimits = HTTPLimits(), bypassesProxy: Bool = false, wantsFreshConnection: Bool = false
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.limits = limits
        self.bypassesProxy = bypassesProxy
        self.wantsFreshConnection = wantsFreshConnection
    }
}
