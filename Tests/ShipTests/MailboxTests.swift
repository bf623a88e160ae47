// The mailbox wakes in time, with one timer for many waits.
import CivilTime
import Synchronization
import Testing

@testable import Jobs

/// Counts sleeps and never ends one before it is told to; the clock stands still meanwhile.
private final class HeldClock: TimeSource {
    private let state = Mutex<(sleeps: [Duration], held: [CheckedContinuation<Void, Never>])>(([], []))

    var sleeps: [Duration] { state.withLock { $0.sleeps } }
    func now() -> Timestamp { Timestamp(seconds: 0) }
    func monotonicNanoseconds() -> UInt64 { 0 }

    func sleep(for duration: Duration) async throws {
        await withCheckedContinuation { continuation in
            state.withLock {
                $0.sleeps.append(duration)
                $0.held.append(continuation)
            }
        }
    }

    func release() {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func waitForSleeps(_ count: Int) async {
        while sleeps.count < count { await Task.yield() }
    }
}

@Suite struct MailboxTests {
    @Test(.timeLimit(.minutes(1))) func laterDeadlinesUseTheTimerThatRuns() async {
        let clock = HeldClock()
        let mailbox = Mailbox<Int>()
        for number in 0..<20 {
            async let taken = mailbox.take(until: 1_000 + UInt64(number), time: clock)
            await clock.waitForSleeps(1)
            mailbox.post(number)
            #expect(await taken == [number])
        }
        #expect(clock.sleeps == [.nanoseconds(1_000)])
        clock.release()
    }

    @Test(.timeLimit(.minutes(1))) func earlierDeadlineGetsATimerOfItsOwn() async {
        let clock = HeldClock()
        let mailbox = Mailbox<Int>()
        async let first = mailbox.take(until: 1_000, time: clock)
        await clock.waitForSleeps(1)
        mailbox.post(1)
        #expect(await first == [1])
        async let second = mailbox.take(until: 10, time: clock)
        await clock.waitForSleeps(2)
        clock.release()
        #expect(await second == [])
        #expect(clock.sleeps == [.nanoseconds(1_000), .nanoseconds(10)])
    }

    @Test(.timeLimit(.minutes(1))) func timerThatEndedIsFollowedByANewOne() async {
        let clock = HeldClock()
        let mailbox = Mailbox<Int>()
        for turn in 1...3 {
            async let taken = mailbox.take(until: 1_000, time: clock)
            await clock.waitForSleeps(turn)
            clock.release()
            #expect(await taken == [], "turn \(turn)")
        }
    }
}
