// The loopback server as the tests see it: one Python process for the whole run, one listener for each test, so that
// counts of connections belong to one test however many run at once.
import CurlTransport
import Foundation
import HTTP
import Testing

/// What a listener has seen.
struct ListenerStats: Decodable {
    /// Connections accepted, requests under way now, most at once, interim 100 answers, requests, body bytes.
    var accepts, active, peak, continues, requests, body_bytes: Int
    /// The proxy's CONNECT lines with the names of the headers that came with them.
    var connects: [ConnectRequest]
    var refused_logins: Int

    struct ConnectRequest: Decodable {
        var line: String
        var headerNames: [String]
        init(from decoder: any Decoder) throws {
            var parts = try decoder.unkeyedContainer()
            line = try parts.decode(String.self)
            headerNames = try parts.decode([String].self)
        }
    }
}

/// What the server says it received.
struct EchoReport: Decodable {
    var method: String
    var target: String
    var headers: [[String]]
    var bodyBytes: Int
    var bodySHA256: String

    func values(_ name: String) -> [String] {
        headers.filter { $0[0].lowercased() == name.lowercased() }.map { $0[1] }
    }
}

struct Listener {
    var port: Int
    var bundle: String

    func request(
        _ path: String, method: String = "GET", headers: [HTTPHeader] = [], body: HTTPBody = .none,
        limits: HTTPLimits = HTTPLimits(totalTimeout: .seconds(20))
    ) -> HTTPRequest {
        HTTPRequest(
            method: method, target: HTTPTarget(scheme: "http", host: "127.0.0.1", port: port, path: path),
            headers: headers, body: body, limits: limits)
    }

    func secureRequest(_ path: String, host: String = "localhost") -> HTTPRequest {
        HTTPRequest(
            method: "GET", target: HTTPTarget(scheme: "https", host: host, port: port, path: path),
            limits: HTTPLimits(totalTimeout: .seconds(20)))
    }

    var stats: ListenerStats {
        get async throws { try await LoopbackServer.shared.ask("stats \(port)") }
    }

    func closeAfterNextResponse() async throws { try await LoopbackServer.shared.tell("close \(port)") }
    func hangUpOnNextRequest() async throws { try await LoopbackServer.shared.tell("hangup \(port)") }
}

actor LoopbackServer {
    static let shared = LoopbackServer()

    private struct Started: Decodable {
        var port: Int
        var bundle: String
    }
    private struct Ended: Error {}
    private var process: (input: FileHandle, output: FileHandle)?

    static func listen(_ kind: String) async throws -> Listener {
        let started: Started = try await shared.ask("listen \(kind)")
        return Listener(port: started.port, bundle: started.bundle)
    }

    func tell(_ command: String) throws {
        struct Nothing: Decodable {}
        let _: Nothing = try ask(command)
    }

    func ask<Answer: Decodable>(_ command: String) throws -> Answer {
        let (input, output) = try running()
        try input.write(contentsOf: Data("\(command)\n".utf8))
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            guard let byte = try output.read(upToCount: 1), !byte.isEmpty else { throw Ended() }
            line.append(byte)
        }
        return try JSONDecoder().decode(Answer.self, from: line)
    }

    /// The process ends by itself when this one does, because its standard input ends then.
    private func running() throws -> (FileHandle, FileHandle) {
        if let process { return process }
        misleadingEnvironment
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Support/server.py")
        let server = Process()
        let input = Pipe()
        let output = Pipe()
        server.executableURL = URL(filePath: "/usr/bin/env")
        server.arguments = ["python3", script.path(percentEncoded: false)]
        server.standardInput = input
        server.standardOutput = output
        try server.run()
        let handles = (input.fileHandleForWriting, output.fileHandleForReading)
        process = handles
        return handles
    }
}

/// Set before the first server and transport of the run: if libcurl read these, every test would notice.
private let misleadingEnvironment: Void = {
    for name in ["https_proxy", "http_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:1", 1) }
}()

func makeTransport(
    caBundle: String? = nil, httpsProxy: String? = nil, noProxy: String? = nil, connectionsMax: Int = 8
) throws -> CurlTransport {
    misleadingEnvironment
    return try CurlTransport(
        settings: CurlTransportSettings(
            caBundle: caBundle, httpsProxy: httpsProxy, noProxy: noProxy, userAgent: "sluice-test/1",
            connectionsMax: connectionsMax))
}

/// The error of a call that must fail.
func failure(of transport: CurlTransport, _ request: HTTPRequest) async -> HTTPTransportError? {
    do throws(HTTPTransportError) {
        let response = try await transport.perform(request)
        Issue.record("expected an error, got status \(response.status)")
        return nil
    } catch {
        return error
    }
}

func echo(_ response: HTTPResponse) throws -> EchoReport {
    try JSONDecoder().decode(EchoReport.self, from: Data(response.body))
}

/// A file that is removed when the test lets go of it.
final class TemporaryFile {
    let path: String

    init(_ bytes: [UInt8]) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
        try Data(bytes).write(to: url)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
