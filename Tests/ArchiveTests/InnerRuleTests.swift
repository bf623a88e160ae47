import CivilTime
import Testing

@testable import Jobs

@Suite struct ClockSkewTests {
    private func instant(_ seconds: Double) -> Timestamp { Timestamp(microseconds: Int64(seconds * 1_000_000)) }

    @Test(arguments: [
        // sent, received, server, skew in seconds
        (100.0, 100.2, 100.0, 0.0), (100.9, 101.0, 100.0, 0.0), (100.0, 130.0, 101.0, 0.0),
        (100.0, 130.0, 129.0, 0.0), (100.0, 101.0, 103.0, 0.0), (100.0, 101.0, 104.0, 3.0),
        (100.0, 101.0, 97.0, -3.0), (100.0, 101.0, 3_700.0, 3_599.0),
    ])
    func aSlowAnswerIsNoSkew(sent: Double, received: Double, server: Double, skew: Double) {
        let found = ClockSkew.between(
            sent: instant(sent), received: instant(received), serverDate: instant(server))
        #expect(found == .seconds(skew))
    }
}

@Suite struct PatienceTests {
    @Test func delaysGrowAndThenItGivesUp() throws {
        var patience = Patience()
        var delays: [Duration] = []
        for _ in 1..<Patience.failuresMax {
            let delay = patience.fail(random: 1)
            delays.append(try #require(delay))
        }
        #expect(delays == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16)])
        let last = patience.fail(random: 1)
        #expect(last == nil)
    }

    @Test func halfOfADelayIsJitterAndSuccessForgets() {
        var patience = Patience()
        let first = patience.fail(random: 0)
        _ = patience.fail(random: 0)
        patience.reset()
        let again = patience.fail(random: 0)
        #expect(first == .milliseconds(500) && again == first)
    }
}
