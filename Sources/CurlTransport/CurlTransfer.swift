// One exchange under way: the request's options, its body, the response as it grows, and who waits for it. libcurl's
// callbacks capture nothing; they reach this object through a pointer that is valid while the actor keeps it.
import CCurl
import HTTP

/// Confined to the event loop.
final class CurlTransfer {
    typealias Outcome = Result<HTTPResponse, HTTPTransportError>

    let id: UInt64
    let request: HTTPRequest
    let route: Route
    let continuation: CheckedContinuation<Outcome, Never>
    /// Set while the transfer is in the multi handle.
    var easy: CurlEasy?
    fileprivate var body: RequestBody?
    fileprivate var collector: ResponseCollector

    init(id: UInt64, request: HTTPRequest, route: Route, continuation: CheckedContinuation<Outcome, Never>) {
        self.id = id
        self.request = request
        self.route = route
        self.continuation = continuation
        collector = ResponseCollector(
            bodyBytesMax: request.limits.responseBytesMax, expectsBody: request.method != "HEAD")
    }

    /// What the exchange came to, once libcurl says that it is over.
    func outcome(_ code: CURLcode) -> Outcome {
        if code == CURLE_OK, collector.response.status >= 200 { return .success(collector.response) }
        switch collector.problem {
        case .bodyTooLarge:
            let limit = request.limits.responseBytesMax
            return .failure(request.refusal(.responseTooLarge, "the response has more than \(limit) bytes"))
        case .headersTooLarge:
            let limit = ResponseCollector.headerBytesMax
            return .failure(request.refusal(.responseTooLarge, "the response's headers have more than \(limit) bytes"))
        case nil: break
        }
        if let failure = body?.failure { return .failure(request.refusal(.other, failure)) }
        if code == CURLE_OK { return .failure(request.refusal(.receive, "no HTTP status arrived")) }
        guard let easy else { return .failure(request.refusal(.other, String(cString: curl_easy_strerror(code)))) }
        let failure = CurlFailure(
            code: code, text: easy.errorMessage, usesProxy: route.usesProxy,
            connectStatus: easy.number(CURLINFO_HTTP_CONNECTCODE),
            newConnections: easy.number(CURLINFO_NUM_CONNECTS),
            nameLookupTime: easy.offset(CURLINFO_NAMELOOKUP_TIME_T),
            preTransferTime: easy.offset(CURLINFO_PRETRANSFER_TIME_T))
        return .failure(request.refusal(failure.kind, failure.message))
    }

    /// Opens the body and sets every option. Throws before anything was sent.
    func configure(_ easy: CurlEasy, settings: CurlTransportSettings, proxy: ProxyRule?) throws(HTTPTransportError) {
        do {
            body = try RequestBody(request.body)
        } catch {
            throw request.refusal(.other, error.message)
        }
        easy.reset()
        try setTarget(easy)
        try setHeaders(easy)
        setMethodAndBody(easy)
        setLimits(easy)
        setSecurity(easy, settings: settings)
        setProxy(easy, settings: settings, proxy: route.usesProxy ? proxy : nil)
        let this = Unmanaged.passUnretained(self).toOpaque()
        easy.set(CURLOPT_PRIVATE, pointer: this)
        easy.set(CURLOPT_WRITEDATA, pointer: this)
        easy.set(CURLOPT_HEADERDATA, pointer: this)
        easy.set(CURLOPT_WRITEFUNCTION, function: receiveBody)
        easy.set(CURLOPT_HEADERFUNCTION, function: receiveHeader)
        easy.set(CURLOPT_USERAGENT, settings.userAgent)
        guard easy.refusedOption == CURLE_OK else {
            let text = String(cString: curl_easy_strerror(easy.refusedOption))
            throw request.refusal(.other, "libcurl refused an option: \(text)")
        }
        self.easy = easy
    }
}

// MARK: - Options

extension CurlTransfer {
    /// A PUT of at least this size asks first (RFC 9110 section 10.1.1): a refusal then costs no upload.
    static let expectBytesMin = 1 << 20
    /// libcurl's buffers: larger ones save calls on 10 MiB pages and 64 MiB objects.
    private static let bufferBytes = 256 << 10
    private static let uploadBufferBytes = 256 << 10

    /// The path goes out as it is, byte for byte, whatever a URL parser would make of it.
    private func setTarget(_ easy: CurlEasy) throws(HTTPTransportError) {
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
    private func setHeaders(_ easy: CurlEasy) throws(HTTPTransportError) {
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

    private func setMethodAndBody(_ easy: CurlEasy) {
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
            if request.body.length >= CurlTransfer.expectBytesMin {
                easy.set(CURLOPT_UPLOAD_BUFFERSIZE, CurlTransfer.uploadBufferBytes)
            }
        } else {
            easy.set(CURLOPT_HTTPGET, 1)
        }
        easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    }

    private func setLimits(_ easy: CurlEasy) {
        let limits = request.limits
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, limits.connectTimeout.wholeMilliseconds)
        easy.set(CURLOPT_LOW_SPEED_LIMIT, limits.lowSpeedBytesPerSecond)
        easy.set(CURLOPT_LOW_SPEED_TIME, (limits.lowSpeedTime.wholeMilliseconds + 999) / 1_000)
        if let total = limits.totalTimeout { easy.set(CURLOPT_TIMEOUT_MS, total.wholeMilliseconds) }
        easy.set(CURLOPT_BUFFERSIZE, CurlTransfer.bufferBytes)
        easy.set(CURLOPT_TCP_KEEPALIVE, 1)
        easy.set(CURLOPT_NOSIGNAL, 1)
        easy.setQuickExit()
        if request.wantsFreshConnection {
            // S3's guidance for retries: another connection, to an address looked up anew.
            easy.set(CURLOPT_FRESH_CONNECT, 1)
            easy.set(CURLOPT_DNS_CACHE_TIMEOUT, 0)
        }
    }

    /// The certificate is checked always; no setting turns that off.
    private func setSecurity(_ easy: CurlEasy, settings: CurlTransportSettings) {
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
    private func setProxy(_ easy: CurlEasy, settings: CurlTransportSettings, proxy: ProxyRule?) {
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

// MARK: - Callbacks

private func transfer(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
    context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private let receiveBody: sluice_curl_io = { buffer, size, count, context in
    guard let transfer = transfer(context), let buffer else { return 0 }
    let chunk = UnsafeRawBufferPointer(start: buffer, count: size * count)
    return transfer.collector.addBody(chunk) ? chunk.count : 0
}

private let receiveHeader: sluice_curl_io = { buffer, size, count, context in
    guard let transfer = transfer(context), let buffer else { return 0 }
    let line = UnsafeRawBufferPointer(start: buffer, count: size * count)
    return transfer.collector.addHeaderLine(line) ? line.count : 0
}

private let sendBody: sluice_curl_io = { buffer, size, count, context in
    guard let body = transfer(context)?.body, let buffer else { return Int(CURL_READFUNC_ABORT) }
    return body.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
        ?? Int(CURL_READFUNC_ABORT)
}

private let rewindBody: sluice_curl_seek = { context, offset, origin in
    guard origin == SEEK_SET, let body = transfer(context)?.body, body.seek(to: Int(offset)) else {
        return CURL_SEEKFUNC_FAIL
    }
    return CURL_SEEKFUNC_OK
}
