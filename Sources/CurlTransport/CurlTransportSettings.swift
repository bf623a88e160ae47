// What the caller decides about the transport. Nothing in this target reads the environment.

/// Settings of one `CurlTransport`. The caller takes them from the environment (`AWS_CA_BUNDLE`, `HTTPS_PROXY`,
/// `NO_PROXY` and their lower-case forms).
package struct CurlTransportSettings: Sendable {
    /// Path of a PEM file that replaces the system's trusted authorities; nil keeps the system's.
    package var caBundle: String?
    /// `[http[s]://][user[:password]@]host[:port]`; nil or empty for none. There is no setting for HTTP_PROXY: plain
    /// HTTP goes to this machine and to the metadata endpoints only, and those are never reached through a proxy.
    package var httpsProxy: String?
    /// Hosts reached without the proxy: names (with their subdomains), addresses, CIDR blocks, `*`; separated by
    /// commas or spaces.
    package var noProxy: String?
    package var userAgent: String
    /// Transfers under way at once, and idle connections kept; further calls wait their turn.
    package var connectionsMax: Int

    package init(
        caBundle: String? = nil, httpsProxy: String? = nil, noProxy: String? = nil, userAgent: String = "sluice",
        connectionsMax: Int = 16
    ) {
        self.caBundle = caBundle
        self.httpsProxy = httpsProxy
        self.noProxy = noProxy
        self.userAgent = userAgent
        self.connectionsMax = connectionsMax
    }
}
