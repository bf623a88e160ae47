// The proxy: used for https to other machines, never for this machine and the metadata endpoints, and its password
// never shown.
import CurlTransport
import Foundation
import HTTP
import Testing

@testable import CurlTransport

@Suite(.timeLimit(.minutes(3)))
struct ProxyTests {
    @Test func secureRequestGoesThroughTheProxyAndItsHeadersDoNot() async throws {
        let listener = try await LoopbackServer.listen("good")
        let proxy = try await LoopbackServer.listen("proxy")
        let transport = try makeTransport(caBundle: listener.bundle, httpsProxy: "http://127.0.0.1:\(proxy.port)")
        var request = listener.secureRequest("/echo", host: "archive.test")
        request.headers = [HTTPHeader("Authorization", "AWS4-HMAC-SHA256 secret")]
        for _ in 0..<3 {
            let report = try echo(try await transport.perform(request))
            #expect(report.values("Authorization") == ["AWS4-HMAC-SHA256 secret"])
            #expect(report.values("Host") == ["archive.test:\(listener.port)"])
        }
        let connects = try await proxy.stats.connects
        #expect(connects.map(\.line) == ["CONNECT archive.test:\(listener.port)"])
        #expect(connects.first?.headerNames.contains("authorization") == false)
    }

    @Test func proxyGetsItsCredentials() async throws {
        let listener = try await LoopbackServer.listen("good")
        let proxy = try await LoopbackServer.listen("proxy:user:p@ss")
        let transport = try makeTransport(
            caBundle: listener.bundle, httpsProxy: "http://user:p%40ss@127.0.0.1:\(proxy.port)")
        let response = try await transport.perform(listener.secureRequest("/bytes/3", host: "archive.test"))
        #expect(response.body.count == 3)
        #expect(try await proxy.stats.refused_logins == 0)
    }

    @Test func refusedLoginIsAProxyErrorThatShowsNoPassword() async throws {
        let proxy = try await LoopbackServer.listen("proxy:user:right")
        let transport = try makeTransport(httpsProxy: "http://user:wr0ng-secret@127.0.0.1:\(proxy.port)")
        let error = await failure(
            of: transport, Listener(port: 443, bundle: "").secureRequest("/", host: "archive.test"))
        #expect(error?.kind == .proxy)
        #expect(error?.message.contains("407") == true)
        #expect("\(String(describing: error)) \(String(describing: error?.diagnostic))".contains("wr0ng") == false)
    }

    @Test func proxyThatForbidsTheHostIsAProxyError() async throws {
        let proxy = try await LoopbackServer.listen("proxy")
        let transport = try makeTransport(httpsProxy: "127.0.0.1:\(proxy.port)")
        let request = Listener(port: 443, bundle: "").secureRequest("/", host: "forbidden.test")
        let error = await failure(of: transport, request)
        #expect(error?.kind == .proxy)
        #expect(error?.message.contains("403") == true)
    }

    @Test(arguments: ["http://127.0.0.1:1", "http://nobody.invalid:3128"])
    func proxyThatCannotBeReachedIsAProxyError(url: String) async throws {
        let request = Listener(port: 443, bundle: "").secureRequest("/", host: "archive.test")
        let error = await failure(of: try makeTransport(httpsProxy: url), request)
        #expect(error?.kind == .proxy)
        #expect(error?.nothingWasSent == true)
    }

    @Test func proxyThatHangsUpIsAProxyError() async throws {
        let proxy = try await LoopbackServer.listen("hangup")
        let request = Listener(port: 443, bundle: "").secureRequest("/", host: "archive.test")
        let error = await failure(of: try makeTransport(httpsProxy: "http://127.0.0.1:\(proxy.port)"), request)
        #expect(error?.kind == .proxy)
    }

    @Test func namedAndBypassingRequestsDoNotUseTheProxy() async throws {
        let proxy = try await LoopbackServer.listen("proxy")
        let url = "http://127.0.0.1:\(proxy.port)"
        let named = try makeTransport(httpsProxy: url, noProxy: "other.test, .invalid")
        let request = Listener(port: 443, bundle: "").secureRequest("/", host: "archive.invalid")
        #expect(await failure(of: named, request)?.kind == .resolve)
        var bypassing = request
        bypassing.bypassesProxy = true
        #expect(await failure(of: try makeTransport(httpsProxy: url), bypassing)?.kind == .resolve)
        #expect(try await proxy.stats.accepts == 0)
    }

    @Test func loopbackIsNeverReachedThroughTheProxy() async throws {
        let listener = try await LoopbackServer.listen("good")
        let plain = try await LoopbackServer.listen("http")
        let proxy = try await LoopbackServer.listen("proxy")
        let transport = try makeTransport(caBundle: listener.bundle, httpsProxy: "http://127.0.0.1:\(proxy.port)")
        #expect(try await transport.perform(listener.secureRequest("/bytes/1")).status == 200)
        #expect(try await transport.perform(plain.request("/bytes/1")).status == 200)
        #expect(try await proxy.stats.accepts == 0)
    }

    @Test func proxyOfTheEnvironmentIsNotReadByTheTransport() async throws {
        let transport = try makeTransport()
        #expect(getenv("https_proxy").map { String(cString: $0) } == "http://127.0.0.1:1")
        let request = Listener(port: 443, bundle: "").secureRequest("/", host: "archive.invalid")
        #expect(await failure(of: transport, request)?.kind == .resolve)
    }

    @Test(arguments: [
        "socks5://127.0.0.1:1", "http://", "http://user:secret@", "http://a b:1", "http://u:secret@h%20x",
    ])
    func proxySettingThatCannotBeReadIsRefusedAtStart(url: String) {
        let error = #expect(throws: HTTPTransportError.self) { try makeTransport(httpsProxy: url) }
        #expect(error?.kind == .proxy)
        #expect(error?.message.contains("secret") == false)
    }

    @Test(arguments: [
        ("example.com", "example.com", false), ("example.com", "a.example.com", false),
        ("example.com", "badexample.com", true), (".example.com", "a.example.com", false),
        (".example.com", "example.com", false), ("*.example.com", "a.example.com", false),
        ("EXAMPLE.com", "example.com", false), ("*", "anything", false), ("", "anything", true),
        ("a,b c", "c", false), ("10.0.0.0/8", "10.200.3.4", false), ("10.0.0.0/8", "11.0.0.1", true),
        ("10.0.0.0/9", "10.128.0.1", true), ("10.0.0.0/0", "99.1.1.1", false), ("10.0.0.0/33", "10.0.0.0", true),
        ("10.0.0.0/x", "10.0.0.0", true), ("10.1.1.1", "10.1.1.1", false), ("10.1.1.1", "10.1.1.10", true),
        ("fd00::/8", "fd00:ec2::254", false), ("[fd00::1]", "fd00::1", false), ("fd00::/8", "10.0.0.1", true),
        ("10.0.0.0/8", "10.example.com", true),
    ])
    func exceptionsMatchNamesAndBlocks(list: String, host: String, isProxied: Bool) throws {
        let rule = try #require(try ProxyRule("http://proxy:1", noProxy: list))
        #expect(rule.applies(to: host) == isProxied)
    }

    @Test(arguments: ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254"])
    func metadataEndpointsArePlainAndDirect(host: String) throws {
        let rule = try ProxyRule("http://proxy:1", noProxy: nil)
        let request = HTTPRequest(method: "GET", target: HTTPTarget(scheme: "http", host: host, path: "/"))
        #expect(try Route(request: request, proxy: rule).usesProxy == false)
    }
}
