// A machine that exists in memory: variables, files, programs, a network that answers by script, and a clock that is
// turned by hand. Every secret that the tests plant carries `plant`, so that one search finds any leak.
import AWS
import CivilTime
import HTTP
import Synchronization

/// Marks text that must never show.
let plant = "PLANTED"

/// 2026-01-31T12:00:00Z
let noon = Timestamp(seconds: 1_769_860_800)

final class FakeMachine: Sendable {
    typealias Network = @Sendable (HTTPRequest) throws(HTTPTransportError) -> HTTPResponse
    typealias Programs = @Sendable (ProcessCommand) throws -> ProcessOutput

    private struct State {
        var files: [String: (bytes: [UInt8], modified: Timestamp)] = [:]
        var unreadable: Set<String> = []
        var isReadOnly = false
        var now = noon
        var slept: [Duration] = []
        var requests: [HTTPRequest] = []
        var commands: [ProcessCommand] = []
        var log: [String] = []
    }

    static let home = "/home/op"
    let variables: [String: String]
    private let state = Mutex(State())
    private let network: Network
    private let programs: Programs

    /// Held back before every answer, in real time, so that callers can pile up.
    private let answerDelay: Duration

    init(
        _ variables: [String: String] = [:], config: String? = nil, credentials: String? = nil,
        files: [String: String] = [:], answerDelay: Duration = .zero, network: @escaping Network = nobodyAnswers,
        programs: @escaping Programs = { _ in throw ProcessFailure.cannotStart("no") }
    ) {
        self.variables = variables
        self.answerDelay = answerDelay
        self.network = network
        self.programs = programs
        if let config { write("\(Self.home)/.aws/config", config) }
        if let credentials { write("\(Self.home)/.aws/credentials", credentials) }
        for (path, text) in files { write(path, text) }
    }

    // MARK: Turning things

    func write(_ path: String, _ text: String) {
        state.withLock { $0.files[path] = (Array(text.utf8), $0.now) }
    }

    func makeUnreadable(_ path: String) { state.withLock { _ = $0.unreadable.insert(path) } }
    func makeReadOnly() { state.withLock { $0.isReadOnly = true } }
    func turnClock(by duration: Duration) { state.withLock { $0.now = $0.now.adding(duration) } }

    // MARK: Looking

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var commands: [ProcessCommand] { state.withLock { $0.commands } }
    var slept: [Duration] { state.withLock { $0.slept } }
    var log: [String] { state.withLock { $0.log } }
    func text(_ path: String) -> String? {
        state.withLock { $0.files[path].map { String(decoding: $0.bytes, as: UTF8.self) } }
    }

    // MARK: As the code under test sees it

    var environment: AWSEnvironment {
        AWSEnvironment(
            variables: variables, homeDirectory: Self.home,
            readFile: { [self] path in
                try state.withLock { state in
                    if state.unreadable.contains(path) { throw FileFailure("Permission denied") }
                    return state.files[path]?.bytes
                }
            },
            fileModified: { [self] path in state.withLock { $0.files[path]?.modified } },
            writeFile: { [self] path, bytes in
                try state.withLock { state in
                    if state.isReadOnly { throw FileFailure("Read-only file system") }
                    state.files[path] = (bytes, state.now)
                }
            },
            runProcess: { [self] command in
                state.withLock { $0.commands.append(command) }
                return try programs(command)
            })
    }

    func configuration() throws -> SharedConfiguration { try SharedConfiguration.load(environment) }

    func chain(region: String? = "us-east-1") throws -> CredentialChain {
        CredentialChain(
            environment: environment, configuration: try configuration(), transport: self, time: self,
            random: { 0.5 }, fallbackRegion: region, log: { [self] line in state.withLock { $0.log.append(line) } })
    }

    func credentials() async throws -> Credentials { try await chain().credentials() }
}

extension FakeMachine: HTTPTransport {
    func perform(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        state.withLock { $0.requests.append(request) }
        if answerDelay > .zero { try? await Task.sleep(for: answerDelay) }
        return try network(request)
    }
}

extension FakeMachine: TimeSource {
    func monotonicNanoseconds() -> UInt64 { UInt64(state.withLock { $0.now.microseconds }) * 1_000 }
    func now() -> Timestamp { state.withLock { $0.now } }
    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        state.withLock {
            $0.slept.append(duration)
            $0.now = $0.now.adding(duration)
        }
    }
}

func unreachable(_ request: HTTPRequest, _ kind: HTTPTransportError.Kind = .connect) -> HTTPTransportError {
    HTTPTransportError(kind: kind, host: request.target.host, message: "nobody there")
}

func nobodyAnswers(_ request: HTTPRequest) throws(HTTPTransportError) -> HTTPResponse {
    throw unreachable(request)
}

func answer(_ status: Int, _ text: String = "", date: String? = nil) -> HTTPResponse {
    HTTPResponse(status: status, headers: date.map { [HTTPHeader("Date", $0)] } ?? [], body: Array(text.utf8))
}

extension HTTPRequest {
    /// `GET 169.254.169.254/latest/…`
    var line: String { "\(method) \(target.host)\(target.path)" }
    func sent(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    var text: String {
        guard case .bytes(let bytes) = body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
