// What libcurl is told about one exchange. Everything that must never be switched off (certificate checks, no
// redirects, no proxy from the environment) is switched here and nowhere else.
import CCurl
import Glibc
import HTTP

extension CurlTransfer {
    /// A PUT of at least this size asks first (RFC 9110 section 10.1.1): a refusal then costs no upload.
    static let expectBytesMin = 1 << 20
    /// libcurl's buffers: larger ones save calls on 10 MiB pages and 64 MiB objects.
    private static let bufferBytes = 256 << 10
    private static let uploadBufferBytes = 256 << 10
    /// libcurl's own upload buffer: it sends one a turn, and each turn costs a poll.
    private static let usualUploadBufferBytes = 64 << 10

    /// The path goes out as it is, byte for byte, whatever a URL parser would make of it.
    func setTarget(_ easy: CurlEasy) throws(HTTPTransportError) {
        let target = request.target
        let line = target.path + (target.query.map { "?\($0)" } ?? "")
        guard line.hasPrefix("/"), line.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw request.refusal(.other, "path or query is not percent-encoded")
        }
        easy.setProtocol(target.scheme)
        easy.set(CURLOPT_URL, "\(target.scheme)://\(target.hostHeader)/")
        easy.set(CURLOPT_REQUEST_TARGET, line)
        easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    }

    /// Host and Content-Length come from target and body; what the caller says about them is left out. The headers
    /// that libcurl would add by itself are taken back.
    func setHeaders(_ easy: CurlEasy) throws(HTTPTransportError) {
        var lines: [String] = []
        var names: Set<String> = []
        for header in request.headers {
            let name = header.name.lowercased()
            guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte),
                header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { throw request.refusal(.other, "header \(header.name) holds a character that cannot be sent") }
            if name == "host" || name == "content-length" || name == "expect" { continue }
            names.insert(name)
            // libcurl takes "Name:" for a deletion and "Name;" for an empty value.
            lines.append(
                header.value.allSatisfy { $0 == " " || $0 == "\t" }
                    ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        let asks = request.method == "PUT" && request.body.length >= CurlTransfer.expectBytesMin
        lines.append(asks ? "Expect: 100-continue" : "Expect:")
        if !names.contains("accept") { lines.append("Accept:") }
        easy.set(CURLOPT_HTTPHEADER, list: lines)
        // A header that names secrets is for the server, never for the proxy.
        easy.set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
    }

    func setMethodAndBody(_ easy: CurlEasy) {
        let hasBody = request.body != .none || request.method == "PUT" || request.method == "POST"
        if request.method == "HEAD" {
            easy.set(CURLOPT_NOBODY, 1)
            return
        }
        if hasBody {
            let this = Unmanaged.passUnretained(self).toOpaque()
            easy.set(CURLOPT_UPLOAD, 1)
            easy.set(CURLOPT_INFILESIZE_LARGE, offset: request.body.length)
            easy.set(CURLOPT_READFUNCTION, function: sendBody)
            easy.set(CURLOPT_READDATA, pointer: this)
            easy.setSeek(rewindBody)
            easy.set(CURLOPT_SEEKDATA, pointer: this)
            if request.body.length >= CurlTransfer.usualUploadBufferBytes {
                easy.set(CURLOPT_UPLOAD_BUFFERSIZE, CurlTransfer.uploadBufferBytes)
            }
        } else {
            easy.set(CURLOPT_HTTPGET, 1)
        }
        easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    }

    func setLimits(_ easy: CurlEasy) {
        let limits = request.limits
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, limits.connectTimeout.wholeMilliseconds)
        easy.set(CURLOPT_LOW_SPEED_LIMIT, limits.lowSpeedBytesPerSecond)
        easy.set(CURLOPT_LOW_SPEED_TIME, (limits.lowSpeedTime.wholeMilliseconds + 999) / 1_000)
        if let total = limits.totalTimeout { easy.set(CURLOPT_TIMEOUT_MS, total.wholeMilliseconds) }
        easy.set(CURLOPT_BUFFERSIZE, CurlTransfer.bufferBytes)
        easy.set(CURLOPT_TCP_KEEPALIVE, 1)
        easy.set(CURLOPT_NOSIGNAL, 1)
        easy.setSocketOptions(closeOnExec)
        easy.setQuickExit()
        if request.wantsFreshConnection {
            // S3's guidance for retries: another connection, to an address looked up anew.
            easy.set(CURLOPT_FRESH_CONNECT, 1)
            easy.set(CURLOPT_DNS_CACHE_TIMEOUT, 0)
        }
    }

    /// The certificate is checked always; no setting turns that off.
    func setSecurity(_ easy: CurlEasy, settings: CurlTransportSettings) {
        easy.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        easy.set(CURLOPT_SSL_VERIFYPEER, 1)
        easy.set(CURLOPT_SSL_VERIFYHOST, 2)
        easy.set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        easy.set(CURLOPT_FOLLOWLOCATION, 0)
        guard let bundle = settings.caBundle else { return }
        easy.set(CURLOPT_CAINFO, bundle)
        // The bundle replaces the system's authorities; without this their directory would still be trusted.
        easy.set(CURLOPT_CAPATH, nil as String?)
    }

    /// Empty strings keep libcurl from reading the proxy variables of the environment.
    func setProxy(_ easy: CurlEasy, settings: CurlTransportSettings, proxy: ProxyRule?) {
        easy.set(CURLOPT_NOPROXY, "")
        easy.set(CURLOPT_PROXY, proxy?.url ?? "")
        guard let proxy else { return }
        if let user = proxy.user {
            easy.set(CURLOPT_PROXYUSERNAME, user)
            easy.set(CURLOPT_PROXYPASSWORD, proxy.password)
        }
        easy.set(CURLOPT_HTTPPROXYTUNNEL, 1)
        easy.set(CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        easy.set(CURLOPT_PROXY_SSL_VERIFYPEER, 1)
        easy.set(CURLOPT_PROXY_SSL_VERIFYHOST, 2)
        if let bundle = settings.caBundle {
            easy.set(CURLOPT_PROXY_CAINFO, bundle)
            easy.set(CURLOPT_PROXY_CAPATH, nil as String?)
        }
    }
}

extension Duration {
    /// At least 1: libcurl reads 0 as "no limit".
    fileprivate var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}

/// RFC 9110 section 5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}

/// libcurl 7.88 opens its sockets without it, and a child (`credential_process`) has no business with them.
private let closeOnExec: sluice_curl_sockopt = { _, socket, _ in
    fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR
}
