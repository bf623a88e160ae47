// HTTP over libcurl's multi interface. The actor's executor is the event loop's thread, so transfers, waiting calls
// and idle handles are ordinary actor state that the compiler checks. What must stay true: a transfer that libcurl has
// ends in `finish` and nowhere else, one that it never got in `refuse`; each resumes its caller exactly once.
import CCurl
package import HTTP

/// The one network transport: connections are kept and reused, at most `connectionsMax` exchanges run at once and the
/// rest wait in order, nothing is redirected, decompressed or stored. Nothing is retried either, with one exception
/// that libcurl makes: when a kept connection ends before the first byte of the answer, the request goes out again on
/// another one, so the server may see it twice. Dropping the last reference ends its thread and closes its connections.
package actor CurlTransport: HTTPTransport {
    /// Calls that may wait for a turn. Callers bound themselves far below; more is a fault.
    package static let waitingCallsMax = 4_096

    private let settings: CurlTransportSettings
    private let proxy: ProxyRule?
    private nonisolated let loop: CurlEventLoop
    private var running: [UInt64: CurlTransfer] = [:]
    private var waiting: [CurlTransfer] = []
    private var idle: [CurlEasy] = []
    private var lastID: UInt64 = 0

    /// Starts the network thread. Throws `.proxy` for a proxy setting that cannot be read.
    package init(settings: CurlTransportSettings) throws(HTTPTransportError) {
        precondition(settings.connectionsMax > 0, "connectionsMax must be positive")
        self.settings = settings
        proxy = try ProxyRule(settings.httpsProxy, noProxy: settings.noProxy)
        loop = try CurlEventLoop(connectionsMax: settings.connectionsMax)
        try loop.start(for: self)
    }

    deinit { loop.stop() }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// One exchange. The time limits begin when the transfer begins, not while the call waits for its turn.
    package func perform(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        let route = try Route(request: request, proxy: proxy)
        lastID += 1
        let id = lastID
        // Cancelling enqueues a job behind this one, so the transfer is known by the time the job runs.
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                begin(CurlTransfer(id: id, request: request, route: route, continuation: continuation))
            }
        } onCancel: {
            Task { await self.cancel(id) }
        }
        return try outcome.get()
    }

    private func begin(_ transfer: CurlTransfer) {
        if Task.isCancelled {
            refuse(transfer, transfer.request.refusal(.cancelled, "cancelled"))
        } else if running.count < settings.connectionsMax {
            launch(transfer)
        } else if waiting.count < CurlTransport.waitingCallsMax {
            waiting.append(transfer)
        } else {
            let text = "more than \(CurlTransport.waitingCallsMax) calls are waiting"
            refuse(transfer, transfer.request.refusal(.other, text))
        }
    }

    private func launch(_ transfer: CurlTransfer) {
        guard let easy = idle.popLast() ?? CurlEasy() else {
            return refuse(transfer, transfer.request.refusal(.other, "libcurl has no memory"))
        }
        do {
            try transfer.configure(easy, settings: settings, proxy: proxy)
        } catch {
            return refuse(transfer, error)
        }
        guard curl_multi_add_handle(loop.multi, easy.handle) == CURLM_OK else {
            return refuse(transfer, transfer.request.refusal(.other, "libcurl refused the transfer"))
        }
        running[transfer.id] = transfer
    }

    /// For a transfer that libcurl does not have.
    private func refuse(_ transfer: CurlTransfer, _ error: HTTPTransportError) {
        transfer.continuation.resume(returning: .failure(error))
    }

    private func cancel(_ id: UInt64) {
        if let transfer = running[id] {
            finish(transfer, .failure(transfer.request.refusal(.cancelled, "cancelled")))
        } else if let index = waiting.firstIndex(where: { $0.id == id }) {
            let transfer = waiting.remove(at: index)
            refuse(transfer, transfer.request.refusal(.cancelled, "cancelled"))
        }
    }

    /// For a transfer that libcurl has. The freed place goes to the calls that wait.
    private func finish(_ transfer: CurlTransfer, _ outcome: CurlTransfer.Outcome) {
        running[transfer.id] = nil
        if let easy = transfer.easy {
            curl_multi_remove_handle(loop.multi, easy.handle)
            transfer.easy = nil
            // A handle whose transfer failed may keep its receive buffer and then refuses options (libcurl 7.88 after
            // a failed look-up); a new one costs nothing beside a failure.
            if case .success = outcome {
                easy.reset()
                idle.append(easy)
            }
        }
        transfer.continuation.resume(returning: outcome)
        while running.count < settings.connectionsMax, !waiting.isEmpty { launch(waiting.removeFirst()) }
    }
}

extension CurlTransport: CurlEventLoopClient {
    /// Lets libcurl work, then hands out what is done. Called by the loop after jobs, socket events and timers.
    func pump() {
        guard !running.isEmpty else { return }
        var active: Int32 = 0
        let state = curl_multi_perform(loop.multi, &active)
        guard state == CURLM_OK else {
            let text = String(cString: curl_multi_strerror(state))
            for transfer in running.values { finish(transfer, .failure(transfer.request.refusal(.other, text))) }
            return
        }
        var left: Int32 = 0
        while let message = curl_multi_info_read(loop.multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            // The message is gone once its handle is removed.
            let code = message.pointee.data.result
            var context: UnsafeMutableRawPointer?
            guard sluice_curl_get_pointer(handle, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { continue }
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
            finish(transfer, transfer.outcome(code))
        }
    }
}
