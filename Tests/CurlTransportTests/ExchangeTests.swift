// What goes out and what comes back over plain HTTP: paths, headers, bodies, statuses.
import CurlTransport
import Foundation
import HTTP
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ExchangeTests {
    @Test(arguments: [
        "/k%3Dv/a%2Fb%20c", "/a/../b", "/a/./b/", "//double//slash", "/..%2f..", "/%7Etilde~", "/a;b=c,d", "/",
    ])
    func pathArrivesByteForByte(path: String) async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        var request = listener.request(path)
        request.target.query = "x=%3D&empty=&list-type=2"
        let report = try echo(try await transport.perform(request))
        #expect(report.target == path + "?x=%3D&empty=&list-type=2")
    }

    @Test func requestCarriesOnlyItsOwnHeaders() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let report = try echo(
            try await transport.perform(listener.request("/echo", headers: [HTTPHeader("X-One", "1")])))
        #expect(report.headers.map { $0[0].lowercased() }.sorted() == ["host", "user-agent", "x-one"])
        #expect(report.values("Host") == ["127.0.0.1:\(listener.port)"])
        #expect(report.values("User-Agent") == ["sluice-test/1"])
        let post = try echo(
            try await transport.perform(listener.request("/echo", method: "POST", body: .bytes([1, 2, 3]))))
        #expect(post.headers.map { $0[0].lowercased() }.sorted() == ["content-length", "host", "user-agent"])
    }

    @Test func oddHeaderValuesArriveUnchanged() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let long = String(repeating: "v", count: 20_000)
        let headers = [
            HTTPHeader("X-Empty", ""), HTTPHeader("X-Semicolon", "a;b;"), HTTPHeader("X-Colon", ":a: b"),
            HTTPHeader("X-Quote", "\"a\\\"b\""), HTTPHeader("X-Long", long), HTTPHeader("X-Twice", "1"),
            HTTPHeader("X-Twice", "2"), HTTPHeader("Content-Type", "application/x-amz-json-1.1"),
        ]
        let report = try echo(try await transport.perform(listener.request("/echo", method: "POST", headers: headers)))
        for name in Set(headers.map(\.name)) {
            #expect(report.values(name) == headers.filter { $0.name == name }.map(\.value), "\(name)")
        }
    }

    @Test(arguments: [
        HTTPHeader("X-Bad", "a\r\nX-Injected: 1"), HTTPHeader("X-Bad", "a\nb"), HTTPHeader("X-Bad", "a\u{0}b"),
        HTTPHeader("X Bad", "1"), HTTPHeader("X-Bad:", "1"), HTTPHeader("", "1"),
    ])
    func headerThatWouldInjectIsRefused(header: HTTPHeader) async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        #expect(await failure(of: transport, listener.request("/echo", headers: [header]))?.kind == .other)
        #expect(try await listener.stats.accepts == 0)
    }

    @Test(arguments: ["/a b", "/a\r\nHost: x", "a", "", "/caf\u{e9}"])
    func pathThatIsNotEncodedIsRefused(path: String) async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        #expect(await failure(of: transport, listener.request(path))?.kind == .other)
        #expect(try await listener.stats.accepts == 0)
    }

    @Test func responseHeadersKeepOrderValuesAndCase() async throws {
        let listener = try await LoopbackServer.listen("http")
        let response = try await makeTransport().perform(listener.request("/odd-headers"))
        #expect(
            response.headers == [
                HTTPHeader("X-Empty", ""), HTTPHeader("X-Spaces", "a b"), HTTPHeader("X-Colon", "a:b: c"),
                HTTPHeader("X-Bytes", "caf\u{FFFD}"), HTTPHeader("x-twice", "1"), HTTPHeader("X-Twice", "2"),
                HTTPHeader("X-Folded", "one two"), HTTPHeader("Content-Length", "0"),
            ])
        #expect(response.header("X-TWICE") == "1")
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 1_048_575, 1_048_576, 10 << 20])
    func bodyFromBytesAndFromFileArrivesWhole(size: Int) async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let file = try TemporaryFile(bytes)
        let limits = HTTPLimits()
        let fromBytes = try echo(
            try await transport.perform(listener.request("/o", method: "PUT", body: .bytes(bytes), limits: limits)))
        let fromFile = try echo(
            try await transport.perform(
                listener.request("/o", method: "PUT", body: .file(path: file.path, length: size), limits: limits)))
        #expect(fromBytes.bodyBytes == size)
        #expect(fromBytes.values("Content-Length") == ["\(size)"])
        #expect(fromFile.bodySHA256 == fromBytes.bodySHA256)
        #expect(fromFile.values("Transfer-Encoding").isEmpty)
        // Only big PUTs ask first.
        #expect(try await listener.stats.continues == (size >= 1_048_576 ? 2 : 0))
        if size < 1_048_576 { #expect(fromFile.values("Expect").isEmpty) }
    }

    @Test func bigPostDoesNotAskFirst() async throws {
        let listener = try await LoopbackServer.listen("http")
        let body = HTTPBody.bytes([UInt8](repeating: 7, count: 2 << 20))
        let report = try echo(try await makeTransport().perform(listener.request("/echo", method: "POST", body: body)))
        #expect(report.bodyBytes == 2 << 20)
        #expect(try await listener.stats.continues == 0)
    }

    @Test func refusalBeforeTheBodySavesTheUpload() async throws {
        let listener = try await LoopbackServer.listen("http")
        let body = HTTPBody.bytes([UInt8](repeating: 7, count: 8 << 20))
        let response = try await makeTransport().perform(listener.request("/refuse-early", method: "PUT", body: body))
        #expect(response.status == 403)
        #expect(response.body == Array("no".utf8))
        #expect(try await listener.stats.body_bytes == 0)
    }

    @Test func bodyFileOfAnotherSizeIsRefusedBeforeAnythingIsSent() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let file = try TemporaryFile([1, 2, 3])
        for length in [2, 4] {
            let request = listener.request("/o", method: "PUT", body: .file(path: file.path, length: length))
            let error = await failure(of: transport, request)
            #expect(error?.kind == .other)
            #expect(error?.message.contains("3 bytes") == true)
        }
        let missing = listener.request("/o", method: "PUT", body: .file(path: file.path + ".no", length: 3))
        #expect(await failure(of: transport, missing)?.message.contains("No such file") == true)
        #expect(try await listener.stats.accepts == 0)
    }

    @Test(arguments: [204, 200, 304, 403, 404, 412, 500, 503])
    func statusIsHandedOverWithoutJudgement(status: Int) async throws {
        let listener = try await LoopbackServer.listen("http")
        let response = try await makeTransport().perform(listener.request("/status/\(status)"))
        #expect(response.status == status)
        #expect(response.body.isEmpty)
    }

    @Test func redirectIsNotFollowed() async throws {
        let listener = try await LoopbackServer.listen("http")
        let response = try await makeTransport().perform(listener.request("/redirect"))
        #expect(response.status == 302)
        #expect(response.header("location") == "/bytes/5")
        #expect(try await listener.stats.requests == 1)
    }

    @Test func compressedBodyStaysCompressed() async throws {
        let listener = try await LoopbackServer.listen("http")
        let response = try await makeTransport().perform(listener.request("/gzip"))
        #expect(response.body.prefix(2) == [0x1F, 0x8B])
    }

    @Test func headOfAnObjectLargerThanTheLimitSucceeds() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        for _ in 0..<2 {
            let response = try await transport.perform(listener.request("/head/5000000000", method: "HEAD"))
            #expect(response.status == 200)
            #expect(response.header("Content-Length") == "5000000000")
            #expect(response.header("ETag") == "\"abc\"")
            #expect(response.body.isEmpty)
        }
        #expect(try await listener.stats.accepts == 1)
    }

    @Test func deleteWithoutBodySendsNone() async throws {
        let listener = try await LoopbackServer.listen("http")
        let report = try echo(try await makeTransport().perform(listener.request("/o", method: "DELETE")))
        #expect(report.method == "DELETE")
        #expect(report.bodyBytes == 0)
    }

    @Test func responseAtTheLimitPassesAndOneByteMoreIsAnError() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let limits = HTTPLimits(totalTimeout: .seconds(20), responseBytesMax: 1_000)
        for path in ["/bytes/1000", "/chunks/100"] {
            #expect(try await transport.perform(listener.request(path, limits: limits)).body.count == 1_000)
        }
        for path in ["/bytes/1001", "/chunks/101"] {
            let error = await failure(of: transport, listener.request(path, limits: limits))
            #expect(error?.kind == .responseTooLarge, "\(path)")
            #expect(error?.message.contains("1000 bytes") == true)
        }
    }

    @Test func headersWithoutEndAreAnError() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        #expect(try await transport.perform(listener.request("/many-headers/3")).status == 200)
        #expect(await failure(of: transport, listener.request("/many-headers/9"))?.kind == .responseTooLarge)
    }

    @Test(arguments: ["/truncated", "/truncated-chunks", "/not-http"])
    func brokenResponseIsAnError(path: String) async throws {
        let listener = try await LoopbackServer.listen("http")
        let error = await failure(of: try makeTransport(), listener.request(path))
        #expect(error?.kind == .receive)
        #expect(error?.isTransient == true)
        #expect(error?.nothingWasSent == false)
    }
}
