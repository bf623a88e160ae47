// One signed call to one service: sign -> send -> classify -> wait or give up. Every try is signed anew, with the
// clock as corrected and with one frozen set of keys. Cancelling the task ends waits and transfers at once.

package import CivilTime
import Diagnostics
package import HTTP
import Synchronization

package struct AWSClient: Sendable {
    package let endpoint: ServiceEndpoint
    package let time: any TimeSource
    /// What this client has asked of the network.
    package let counter: RetryCounter

    private let transport: any HTTPTransport
    private let credentials: any CredentialProvider
    private let retry: RetrySettings
    private let random: @Sendable () -> Double
    private let log: (@Sendable (String) -> Void)?
    private let quota: RetryQuota
    private let clock: ClockOffsets
    private let signingKeys: SigningKeys

    /// - Parameters:
    ///   - random: in 0..<1, for jitter.
    ///   - log: takes one line for every retry and correction; no secrets, no record content.
    package init(
        transport: any HTTPTransport, credentials: any CredentialProvider, endpoint: ServiceEndpoint,
        retry: RetrySettings = .standard, time: any TimeSource, random: @escaping @Sendable () -> Double,
        log: (@Sendable (String) -> Void)? = nil, counter: RetryCounter = RetryCounter()
    ) {
        self.transport = transport
        self.credentials = credentials
        self.endpoint = endpoint
        self.retry = retry
        self.time = time
        self.random = random
        self.log = log
        self.counter = counter
        quota = RetryQuota(capacity: retry.quota)
        clock = ClockOffsets()
        signingKeys = SigningKeys()
    }

    /// The same client, its retry tokens and clock offsets included, that counts into `counter`.
    package func counting(into counter: RetryCounter) -> AWSClient { AWSClient(self, counter: counter) }

    private init(_ other: AWSClient, counter: RetryCounter) {
        transport = other.transport
        credentials = other.credentials
        endpoint = other.endpoint
        retry = other.retry
        time = other.time
        random = other.random
        log = other.log
        quota = other.quota
        clock = other.clock
        signingKeys = other.signingKeys
        self.counter = counter
    }

    /// Sends `call` until it is answered well or no retry is left. `decode` reads an answer with status 2xx; when it
    /// throws, the answer counts as cut on the way and the call is tried again. It may take the body out of the answer.
    package func send<Answer>(
        _ call: AWSCall, decode: (inout HTTPResponse) throws(AnswerFault) -> Answer
    ) async throws(AWSError) -> Answer {
        try checkHeaders(call)
        let target = HTTPTarget(
            scheme: endpoint.scheme, host: call.host ?? endpoint.host, port: endpoint.port, path: call.path,
            query: call.query)
        var judge = RetryJudge(settings: retry, quota: quota)
        var wantsFreshConnection = call.wantsFreshConnection
        while true {
            if Task.isCancelled { throw call.cancelled }
            let keys = try await currentCredentials(call)
            let signedAt = time.now().adding(clock.offset(for: target.hostHeader))
            var request = signed(call, target: target, with: keys, at: signedAt)
            request.wantsFreshConnection = wantsFreshConnection
            counter.noteRequest()
            let outcome = await exchange(request, call, decode)
            guard case .failed(let error, let response) = outcome else {
                judge.succeeded()
                return try outcome.answer()
            }
            let failure = FailedTry(
                error: error, serverHint: RetrySettings.serverHint(response?.header("x-amz-retry-after")),
                serverDate: response?.header("date").flatMap(HTTPDate.parse), localDate: time.now(),
                signedAt: signedAt, usesSessionToken: keys.sessionToken != nil, isHead: call.method == "HEAD")
            let verdict = judge.judge(failure, random: random())
            // A server that fails or hangs may be one broken machine behind the name: meet another one next time.
            wantsFreshConnection = (error.status ?? 500) >= 500 || error.category == .malformed
            try await obey(verdict, after: error, call: call, keys: keys, host: target.hostHeader, tried: judge.attempt)
        }
    }

    private enum Outcome<Answer> {
        case answered(Answer)
        case failed(AWSError, HTTPResponse?)

        func answer() throws(AWSError) -> Answer {
            switch self {
            case .answered(let answer): return answer
            case .failed(let error, _): throw error
            }
        }
    }

    private func exchange<Answer>(
        _ request: HTTPRequest, _ call: AWSCall, _ decode: (inout HTTPResponse) throws(AnswerFault) -> Answer
    ) async -> Outcome<Answer> {
        var response: HTTPResponse
        do {
            response = try await transport.perform(request)
        } catch {
            return .failed(Self.error(error, call), nil)
        }
        if let error = ErrorDecoding.error(in: response, to: call) {
            return .failed(error, HTTPResponse(status: response.status, headers: response.headers))
        }
        do {
            return .answered(try decode(&response))
        } catch {
            var failure = call.error("MalformedAnswer", error.message, category: .malformed)
            failure.status = response.status
            return .failed(failure, HTTPResponse(status: response.status, headers: response.headers))
        }
    }

    /// Does what the verdict says; throws `error` when nothing is left to do.
    private func obey(
        _ verdict: RetryVerdict, after error: AWSError, call: AWSCall, keys: Credentials, host: String, tried: Int
    ) async throws(AWSError) {
        switch verdict {
        case .giveUp: throw error
        case .again(let delay):
            counter.noteRetry(isThrottling: error.isThrottling)
            let again = "trying again in \(Self.text(delay)) (try \(tried) of \(retry.attemptsMax))"
            log?("\(error.diagnostic.summary); \(again)")
            do {
                try await time.sleep(for: delay)
            } catch {
                throw call.cancelled
            }
        case .correctClock(let offset):
            counter.noteRetry(isThrottling: false)
            clock.set(offset, for: host)
            let difference = "the clocks of \(host) and this machine differ by \(Self.text(offset))"
            log?("\(difference): requests are signed with the server's time")
        case .refreshCredentials:
            counter.noteRetry(isThrottling: false)
            log?("\(error.diagnostic.summary); fetching new credentials")
            await credentials.invalidate(keys)
        }
    }

    /// Whole milliseconds below ten seconds, else whole seconds.
    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let isLong = seconds >= 10 || seconds <= -10
        return isLong ? "\(seconds) s" : "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000) ms"
    }

    private func currentCredentials(_ call: AWSCall) async throws(AWSError) -> Credentials {
        do {
            return try await credentials.credentials()
        } catch let error as any DiagnosticError {
            let cause = error.diagnostic
            throw AWSError(
                operation: call.operation, subject: call.subject, code: "no credentials", message: cause.summary,
                hint: cause.hint, category: error.isTransient ? .transient : .permission, exitCode: error.exitCode)
        } catch is CancellationError {
            throw call.cancelled
        } catch {
            // The text of a foreign error may hold anything, keys included.
            throw call.error("no credentials", "\(type(of: error))", category: .permission)
        }
    }

    private func signed(_ call: AWSCall, target: HTTPTarget, with keys: Credentials, at instant: Timestamp)
        -> HTTPRequest
    {
        let signer = SigV4(region: call.region ?? endpoint.region, service: endpoint.signingName, keys: signingKeys)
        let toSign = SigningRequest(
            method: call.method, path: call.path, query: call.query,
            headers: [HTTPHeader("Host", target.hostHeader)] + call.headers, payloadHash: call.payloadHash)
        return HTTPRequest(
            method: call.method, target: target,
            headers: call.headers + signer.headers(signing: toSign, with: keys, at: instant), body: call.body,
            limits: call.limits)
    }

    /// A line break in a value would add headers to the request.
    private func checkHeaders(_ call: AWSCall) throws(AWSError) {
        for header in call.headers {
            let isSafe = header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
            guard isSafe else {
                throw call.error(
                    "InvalidHeader", "the value of \(header.name) holds a control character", category: .refused)
            }
        }
    }

    private static func error(_ error: HTTPTransportError, _ call: AWSCall) -> AWSError {
        guard error.kind != .cancelled else { return call.cancelled }
        let cause = error.diagnostic
        return AWSError(
            operation: call.operation, subject: call.subject, code: error.kind.rawValue,
            message: "\(error.host): \(error.message)", hint: cause.hint,
            category: error.isTransient ? .transient : .refused, exitCode: error.exitCode)
    }
}

/// How far each host's clock is from ours. Kept in memory only: a stored offset would be wrong once the clock is set.
private final class ClockOffsets: Sendable {
    private let offsets = Mutex<[String: Duration]>([:])

    func offset(for host: String) -> Duration { offsets.withLock { $0[host] ?? .zero } }
    func set(_ offset: Duration, for host: String) { offsets.withLock { $0[host] = offset } }
}
