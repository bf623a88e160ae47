// Every way in which no response arrives, told apart.
import CurlTransport
import Diagnostics
import Foundation
import HTTP
import Testing

@Suite(.timeLimit(.minutes(3)))
struct FailureTests {
    @Test func refusedConnectionIsAConnectError() async throws {
        // Port 1 (tcpmux) has no listener on any machine that runs tests.
        let error = await failure(of: try makeTransport(), Listener(port: 1, bundle: "").request("/"))
        #expect(error?.kind == .connect)
        #expect(error?.host == "127.0.0.1:1")
        #expect(error?.nothingWasSent == true)
    }

    @Test func unknownNameIsAResolveError() async throws {
        let request = HTTPRequest(method: "GET", target: HTTPTarget(scheme: "https", host: "nobody.invalid", path: "/"))
        let error = await failure(of: try makeTransport(), request)
        #expect(error?.kind == .resolve)
        #expect(error?.host == "nobody.invalid:443")
        #expect(error?.isTransient == true)
    }

    @Test func failedCallsDoNotSpoilLaterOnes() async throws {
        let listener = try await LoopbackServer.listen("http")
        let broken = try await LoopbackServer.listen("reset")
        let transport = try makeTransport(connectionsMax: 1)
        let unknown = HTTPRequest(
            method: "GET", target: HTTPTarget(scheme: "https", host: "nobody.invalid", path: "/"))
        let slow = listener.request("/sleep/20000", limits: HTTPLimits(totalTimeout: .milliseconds(100)))
        let kinds: [(HTTPRequest, HTTPTransportError.Kind)] = [
            (unknown, .resolve), (Listener(port: 1, bundle: "").request("/"), .connect),
            (broken.request("/"), .receive),
            (slow, .timeout), (listener.request("/truncated"), .receive),
        ]
        for (request, kind) in kinds {
            for _ in 0..<2 { #expect(await failure(of: transport, request)?.kind == kind) }
            #expect(try await transport.perform(listener.request("/bytes/9")).body.count == 9, "after \(kind)")
        }
    }

    @Test func certificateOfTheTestAuthorityIsAcceptedWithItsBundleOnly() async throws {
        let listener = try await LoopbackServer.listen("good")
        let response = try await makeTransport(caBundle: listener.bundle).perform(listener.secureRequest("/bytes/7"))
        #expect(response.body.count == 7)
        let error = await failure(of: try makeTransport(), listener.secureRequest("/bytes/7"))
        #expect(error?.kind == .tls)
        #expect(try await listener.stats.requests == 1)
    }

    @Test(arguments: ["expired", "wronghost", "selfsigned", "tls11"])
    func badCertificateOrProtocolIsATLSError(kind: String) async throws {
        let listener = try await LoopbackServer.listen(kind)
        let error = await failure(of: try makeTransport(caBundle: listener.bundle), listener.secureRequest("/bytes/7"))
        #expect(error?.kind == .tls)
        #expect(error?.isTransient == false)
        #expect(error?.message.isEmpty == false)
        #expect(try await listener.stats.requests == 0)
    }

    @Test func missingBundleIsATLSError() async throws {
        let listener = try await LoopbackServer.listen("good")
        let error = await failure(of: try makeTransport(caBundle: "/nonexistent/ca.pem"), listener.secureRequest("/"))
        #expect(error?.kind == .tls)
        #expect(error?.message.contains("/nonexistent/ca.pem") == true)
    }

    @Test(arguments: ["reset", "hangup"])
    func connectionThatBreaksInTheHandshakeIsAConnectError(kind: String) async throws {
        let listener = try await LoopbackServer.listen(kind)
        let error = await failure(of: try makeTransport(), listener.secureRequest("/"))
        #expect(error?.kind == .connect)
        #expect(error?.isTransient == true)
        #expect(error?.nothingWasSent == true)
    }

    @Test(arguments: ["reset", "hangup"])
    func connectionThatBreaksBeforeTheAnswerIsAReceiveError(kind: String) async throws {
        let listener = try await LoopbackServer.listen(kind)
        let error = await failure(of: try makeTransport(), listener.request("/"))
        #expect(error?.kind == .receive)
        #expect(error?.nothingWasSent == false)
    }

    @Test func handshakeWithoutAnAnswerIsAConnectError() async throws {
        let listener = try await LoopbackServer.listen("silent")
        var request = listener.secureRequest("/")
        request.limits.connectTimeout = .milliseconds(200)
        let start = ContinuousClock.now
        let error = await failure(of: try makeTransport(), request)
        #expect(error?.kind == .connect)
        #expect(error?.message.contains("timed out") == true || error?.message.contains("timeout") == true)
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test(arguments: [
        ("http", "example.com"), ("http", "10.0.0.1"), ("http", "127.0.0.1.example.com"), ("http", "localhost.example"),
        ("http", "::2"), ("http", "127.1"), ("http", "128.0.0.1"), ("http", "169.254.169.253"), ("ftp", "localhost"),
        ("file", "localhost"), ("", "localhost"), ("HTTP", "localhost"),
    ])
    func plainHTTPOutsideThisMachineIsRefused(scheme: String, host: String) async throws {
        let request = HTTPRequest(method: "GET", target: HTTPTarget(scheme: scheme, host: host, path: "/"))
        let error = await failure(of: try makeTransport(), request)
        #expect(error?.kind == .refusedScheme)
        #expect(error?.exitCode == .usage)
    }

    @Test(arguments: [
        "", "a b", "user@host", "host/path", "host?x", "host#x", "[::1]", "fe80::1%eth0", "h%6Fst", "a\u{0}b",
    ])
    func textThatIsNoHostNameIsRefused(host: String) async throws {
        let request = HTTPRequest(method: "GET", target: HTTPTarget(scheme: "https", host: host, path: "/"))
        #expect(await failure(of: try makeTransport(), request)?.kind == .other)
    }

    @Test func loopbackNamesAndAddressesAreAcceptedOverPlainHTTP() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
            var request = listener.request("/bytes/1")
            request.target.host = host
            #expect(try await transport.perform(request).status == 200, "\(host)")
        }
        // Nothing listens there; what counts is that the call was tried.
        for host in ["127.9.8.7", "::1"] {
            var request = Listener(port: 1, bundle: "").request("/")
            request.target.host = host
            #expect(await failure(of: transport, request)?.kind == .connect, "\(host)")
        }
    }
}
