// One exchange under way: the request's options, its body, the response as it grows, and who waits for it. libcurl's
// callbacks capture nothing; they reach this object through a pointer that is valid while the actor keeps it.
import CCurl
import Glibc
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

let sendBody: sluice_curl_io = { buffer, size, count, context in
    guard let body = transfer(context)?.body, let buffer else { return Int(CURL_READFUNC_ABORT) }
    return body.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
        ?? Int(CURL_READFUNC_ABORT)
}

let rewindBody: sluice_curl_seek = { context, offset, origin in
    guard origin == SEEK_SET, let body = transfer(context)?.body, body.seek(to: Int(offset)) else {
        return CURL_SEEKFUNC_FAIL
    }
    return CURL_SEEKFUNC_OK
}
