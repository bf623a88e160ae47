package import Diagnostics

/// The seam to the network. One call is one exchange: no redirect, no retry, no interpretation of the status.
/// Cancelling the calling task ends the transfer and throws `.cancelled`.
package protocol HTTPTransport: Sendable {
    func perform(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse
}

/// Why no response arrived. A request may have taken effect on the server unless `kind` says that nothing was sent.
package struct HTTPTransportError: DiagnosticError, Equatable {
    package enum Kind: String, Sendable {
        case resolve, connect, tls, timeout, send, receive, responseTooLarge, proxy, cancelled, refusedScheme, other
    }
    package var kind: Kind
    /// `host:port`, never a query.
    package var host: String
    /// What libcurl says, in its words; no header or body content.
    package var message: String

    package init(kind: Kind, host: String, message: String) {
        self.kind = kind
        self.host = host
        self.message = message
    }

    /// True when the server cannot have seen the request.
    package var nothingWasSent: Bool {
        switch kind {
        case .resolve, .connect, .tls, .proxy, .refusedScheme: true
        case .timeout, .send, .receive, .responseTooLarge, .cancelled, .other: false
        }
    }

    package var isTransient: Bool {
        switch kind {
        case .resolve, .connect, .timeout, .send, .receive, .proxy: true
        case .tls, .responseTooLarge, .cancelled, .refusedScheme, .other: false
        }
    }

    package var exitCode: ExitCode { kind == .refusedScheme ? .usage : .temporary }

    package var diagnostic: Diagnostic {
        let hint: String? =
            switch kind {
            case .resolve: "check the host name, DNS and the region"
            case .connect: "check the network, the proxy settings and security groups"
            case .tls: "check the server's certificate, AWS_CA_BUNDLE and this machine's clock"
            case .proxy: "check HTTPS_PROXY and NO_PROXY"
            case .refusedScheme: "http is accepted for loopback addresses only; use https"
            case .timeout, .send, .receive, .responseTooLarge, .cancelled, .other: nil
            }
        return Diagnostic(operation: "connect to", subject: host, cause: "\(kind.rawValue): \(message)", hint: hint)
    }
}
