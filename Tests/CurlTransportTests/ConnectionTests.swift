// Connections over time: reuse, bounds, limits, cancelling, and that nothing is left behind.
import CurlTransport
import Foundation
import HTTP
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ConnectionTests {
    @Test func oneConnectionServesManyRequests() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        for i in 0..<200 {
            let response = try await transport.perform(listener.request("/bytes/\(i)"))
            #expect(response.body.count == i)
        }
        let stats = try await listener.stats
        #expect(stats.accepts == 1)
        #expect(stats.requests == 200)
    }

    @Test func secureConnectionIsReusedToo() async throws {
        let listener = try await LoopbackServer.listen("good")
        let transport = try makeTransport(caBundle: listener.bundle)
        for _ in 0..<20 { _ = try await transport.perform(listener.secureRequest("/bytes/10")) }
        #expect(try await listener.stats.accepts == 1)
    }

    @Test func freshConnectionIsOpenedOnRequest() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        var request = listener.request("/bytes/1")
        _ = try await transport.perform(request)
        request.wantsFreshConnection = true
        _ = try await transport.perform(request)
        #expect(try await listener.stats.accepts == 2)
    }

    @Test func connectionClosedBetweenRequestsIsReplaced() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let body = HTTPBody.bytes([UInt8](repeating: 1, count: 100_000))
        for _ in 0..<20 {
            try await listener.closeAfterNextResponse()
            let report = try echo(try await transport.perform(listener.request("/echo", method: "PUT", body: body)))
            #expect(report.bodyBytes == 100_000)
        }
        #expect(try await listener.stats.accepts == 20)
    }

    @Test func requestOnAConnectionThatTheServerGivesUpIsSentAgainWhole() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let expected = try echo(try await transport.perform(listener.request("/o", method: "PUT", body: .bytes(bytes))))
        let file = try TemporaryFile(bytes)
        for body in [HTTPBody.bytes(bytes), .file(path: file.path, length: bytes.count)] {
            // The server reads all of it on the kept connection and hangs up without a word.
            try await listener.hangUpOnNextRequest()
            let report = try echo(try await transport.perform(listener.request("/o", method: "PUT", body: body)))
            #expect(report.bodySHA256 == expected.bodySHA256)
        }
        #expect(try await listener.stats.requests == 5)
    }

    @Test(arguments: [1, 3, 8])
    func neverMoreThanTheGivenNumberAtOnce(connectionsMax: Int) async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport(connectionsMax: connectionsMax)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<24 {
                group.addTask { try await transport.perform(listener.request("/sleep/40")).status }
            }
            return try await group.reduce(into: 0) { $0 += $1 == 200 ? 1 : 0 }
        }
        let stats = try await listener.stats
        #expect(count == 24)
        #expect(stats.peak == connectionsMax)
        #expect(stats.accepts == connectionsMax)
    }

    @Test func manyTasksGetTheirOwnAnswers() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for i in 0..<25 {
                        let response = try await transport.perform(listener.request("/bytes/\(task * 100 + i)"))
                        #expect(response.body.count == task * 100 + i)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await listener.stats.requests == 400)
    }

    @Test func cancellingEndsARunningCallAtOnce() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let call = Task { await failure(of: transport, listener.request("/sleep/20000")) }
        while try await listener.stats.active == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let start = ContinuousClock.now
        call.cancel()
        #expect(await call.value?.kind == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(try await transport.perform(listener.request("/bytes/5")).body.count == 5)
    }

    @Test func cancellingEndsAWaitingCallAtOnce() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport(connectionsMax: 1)
        let first = Task { await failure(of: transport, listener.request("/sleep/20000")) }
        while try await listener.stats.active == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let second = Task { await failure(of: transport, listener.request("/bytes/1")) }
        try await Task.sleep(for: .milliseconds(20))
        second.cancel()
        #expect(await second.value?.kind == .cancelled)
        first.cancel()
        #expect(await first.value?.kind == .cancelled)
        #expect(try await listener.stats.requests == 1)
    }

    @Test func callOfACancelledTaskSendsNothing() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        let call = Task {
            while !Task.isCancelled { await Task.yield() }
            return await failure(of: transport, listener.request("/bytes/1"))
        }
        call.cancel()
        #expect(await call.value?.kind == .cancelled)
        #expect(try await listener.stats.accepts == 0)
    }

    @Test func transferBelowTheLowSpeedLimitIsGivenUp() async throws {
        let listener = try await LoopbackServer.listen("http")
        let limits = HTTPLimits(lowSpeedBytesPerSecond: 10_000, lowSpeedTime: .seconds(1))
        let start = ContinuousClock.now
        let error = await failure(of: try makeTransport(), listener.request("/drip", limits: limits))
        #expect(error?.kind == .timeout)
        #expect(ContinuousClock.now - start < .seconds(25))
    }

    @Test func slowTransferAboveTheLowSpeedLimitGoesOnUntilItsTotalTimeout() async throws {
        let listener = try await LoopbackServer.listen("http")
        let limits = HTTPLimits(
            lowSpeedBytesPerSecond: 1, lowSpeedTime: .seconds(1), totalTimeout: .milliseconds(2_500))
        let start = ContinuousClock.now
        let error = await failure(of: try makeTransport(), listener.request("/drip", limits: limits))
        #expect(error?.kind == .timeout)
        #expect((.milliseconds(2_400)...(.seconds(20))).contains(ContinuousClock.now - start))
    }

    @Test func waitForAnAnswerEndsAtTheTotalTimeout() async throws {
        let listener = try await LoopbackServer.listen("http")
        let limits = HTTPLimits(totalTimeout: .milliseconds(200))
        let start = ContinuousClock.now
        let error = await failure(of: try makeTransport(), listener.request("/sleep/20000", limits: limits))
        #expect(error?.kind == .timeout)
        #expect(error?.nothingWasSent == false)
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test func droppedTransportLeavesNoConnection() async throws {
        let listener = try await LoopbackServer.listen("http")
        var transports: [CurlTransport] = []
        for _ in 0..<20 {
            let transport = try makeTransport()
            _ = try await transport.perform(listener.request("/bytes/1"))
            transports.append(transport)
        }
        #expect(try connections(to: listener.port) == 20)
        transports = []
        // The thread closes its connections as its last act.
        var left = 20
        for _ in 0..<500 where left > 0 {
            try await Task.sleep(for: .milliseconds(10))
            left = try connections(to: listener.port)
        }
        #expect(left == 0)
    }

    @Test func childProcessesDoNotInheritConnections() async throws {
        let listener = try await LoopbackServer.listen("http")
        let transport = try makeTransport()
        _ = try await transport.perform(listener.request("/bytes/1"))
        let inode = try #require(try connectionInodes(to: listener.port).first)
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let own = try #require(
            descriptors.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))
                    == "socket:[\(inode)]"
            })
        #expect(fcntl(try #require(Int32(own)), F_GETFD) == FD_CLOEXEC)
        #expect(try await transport.perform(listener.request("/bytes/2")).body.count == 2)
    }

    private func connections(to port: Int) throws -> Int { try connectionInodes(to: port).count }

    /// The sockets of this machine that are connected to a loopback port, client side (proc(5), /proc/net/tcp).
    private func connectionInodes(to port: Int) throws -> [Substring] {
        let wanted = "0100007F:" + String(format: "%04X", port)
        let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/net/tcp"))
        let table = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        return table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            let isOurs = fields.count > 9 && fields[2] == wanted && (fields[3] == "01" || fields[3] == "08")
            return isOurs ? fields[9] : nil
        }
    }
}
