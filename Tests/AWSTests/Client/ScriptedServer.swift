import AWS
import CivilTime
import HTTP
import Synchronization
import Testing

/// A transport that answers from a list and remembers what it was asked. A call beyond the list fails.
final class ScriptedServer: HTTPTransport {
    enum Step: Sendable {
        case answer(HTTPResponse)
        case fail(HTTPTransportError.Kind)
        /// Runs before the next step answers, for clocks that are turned while a request is on its way.
        case run(@Sendable () -> Void)
    }

    private struct State {
        var steps: [Step]
        var requests: [HTTPRequest] = []
    }
    private let state: Mutex<State>

    init(_ steps: [Step]) { state = Mutex(State(steps: steps)) }

    convenience init(statuses: [Int]) { self.init(statuses.map { .answer(HTTPResponse(status: $0)) }) }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var stepsLeft: Int { state.withLock { $0.steps.count } }

    func perform(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        state.withLock { $0.requests.append(request) }
        while true {
            let step: Step? = state.withLock { $0.steps.isEmpty ? nil : $0.steps.removeFirst() }
            switch step {
            case .answer(let response): return response
            case .fail(let kind): throw HTTPTransportError(kind: kind, host: "host:443", message: "scripted")
            case .run(let action): action()
            case nil: throw HTTPTransportError(kind: .other, host: "host:443", message: "script is over")
            }
        }
    }
}

/// A clock that is turned by hand; waiting turns it and is written down.
final class HandClock: TimeSource {
    private struct State {
        var now: Timestamp
        var slept: [Duration] = []
    }
    private let state: Mutex<State>

    init(_ now: Timestamp = Timestamp(seconds: 1_700_000_000)) { state = Mutex(State(now: now)) }

    var slept: [Duration] { state.withLock { $0.slept } }
    func now() -> Timestamp { state.withLock { $0.now } }
    func monotonicNanoseconds() -> UInt64 { state.withLock { UInt64($0.now.microseconds) * 1_000 } }
    func turn(by duration: Duration) { state.withLock { $0.now = $0.now.adding(duration) } }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        state.withLock {
            $0.slept.append(duration)
            $0.now = $0.now.adding(duration)
        }
    }
}

/// Numbered keys: each `invalidate` of the present ones gives the next.
final class NumberedKeys: CredentialProvider {
    private let generation = Mutex(1)
    private let hasToken: Bool

    init(hasToken: Bool = false) { self.hasToken = hasToken }

    var current: Int { generation.withLock { $0 } }

    func credentials() async throws -> Credentials {
        let number = current
        return Credentials(
            accessKeyID: "AKID\(number)", secretAccessKey: Secret("secret-\(number)"),
            sessionToken: hasToken ? Secret("token-\(number)") : nil, source: "test")
    }

    func invalidate(_ rejected: Credentials) async {
        generation.withLock { if rejected.accessKeyID == "AKID\($0)" { $0 += 1 } }
    }
}

/// Collects log lines.
final class LineLog: Sendable {
    private let state = Mutex<[String]>([])
    var lines: [String] { state.withLock { $0 } }
    func add(_ line: String) { state.withLock { $0.append(line) } }
}

/// A client over a script, with everything a test may want to look at.
struct Bench {
    let server: ScriptedServer
    let clock = HandClock()
    let log = LineLog()
    let counter = RetryCounter()
    let keys: NumberedKeys
    let client: AWSClient

    init(
        _ steps: [ScriptedServer.Step], service: String = "kinesis", host: String? = nil, scheme: String = "https",
        port: Int? = nil, isCustom: Bool = false, retry: RetrySettings = .standard, hasToken: Bool = false,
        random: Double = 1
    ) {
        server = ScriptedServer(steps)
        keys = NumberedKeys(hasToken: hasToken)
        let log = log
        client = AWSClient(
            transport: server, credentials: keys,
            endpoint: ServiceEndpoint(
                scheme: scheme, host: host ?? "\(service).us-east-1.amazonaws.com", port: port, region: "us-east-1",
                signingName: service, isCustom: isCustom),
            retry: retry, time: clock, random: { random }, log: { log.add($0) }, counter: counter)
    }

    var kinesis: KinesisClient { KinesisClient(client: client) }

    func s3(bucket: String = "acme-logs", owner: String? = nil, pathStyle: Bool? = nil) -> S3Client {
        let log = log
        return S3Client(
            client: client,
            destination: S3Destination(
                bucket: bucket, region: "us-east-1", pathStyle: pathStyle, expectedBucketOwner: owner),
            log: { log.add($0) })
    }
}

extension ScriptedServer.Step {
    static func json(_ text: String, status: Int = 200, headers: [HTTPHeader] = []) -> Self {
        .answer(HTTPResponse(status: status, headers: headers, body: Array(text.utf8)))
    }

    static func jsonError(_ code: String, status: Int = 400, headers: [HTTPHeader] = []) -> Self {
        json(
            #"{"__type":"com.amazonaws.kinesis.v20131202#\#(code)","message":"said so"}"#, status: status,
            headers: headers)
    }

    static func s3Error(_ code: String, status: Int, extra: String = "", headers: [HTTPHeader] = []) -> Self {
        json(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>said so</Message>"
                + "\(extra)<RequestId>R1</RequestId></Error>", status: status, headers: headers)
    }

    static func status(_ status: Int, headers: [HTTPHeader] = [], body: String = "") -> Self {
        json(body, status: status, headers: headers)
    }
}

extension HTTPRequest {
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var bodyText: String {
        if case .bytes(let bytes) = body { String(decoding: bytes, as: UTF8.self) } else { "" }
    }
}

/// Runs a call that must fail, and gives its error.
func failure<T>(of call: () async throws(AWSError) -> T) async -> AWSError? {
    do throws(AWSError) {
        _ = try await call()
        return nil
    } catch {
        return error
    }
}

extension ScriptedServer.Step: CustomTestStringConvertible {
    var testDescription: String {
        switch self {
        case .answer(let response): "\(response.status) \(String(decoding: response.body.prefix(120), as: UTF8.self))"
        case .fail(let kind): "no answer: \(kind)"
        case .run: "something happens"
        }
    }
}
