// A run that works for hours publishes as it commits: not at every batch, and never twice at a time.

import CivilTime
import Synchronization
import Testing

@testable import Jobs

private final class SetClock: TimeSource {
    private let nanoseconds = Mutex<UInt64>(1_000)

    func now() -> Timestamp { Timestamp(seconds: 1_700_000_000) }
    func monotonicNanoseconds() -> UInt64 { nanoseconds.withLock { $0 } }
    func sleep(for duration: Duration) async throws { Issue.record("nothing waits here") }
    func advance(by more: UInt64) { nanoseconds.withLock { $0 += more } }
}

private final class Count: Sendable {
    private let value = Mutex(0)
    var current: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}

@Suite struct LiveMetricsTests {
    private let clock = SetClock()
    private let published = Count()

    @Test func aBatchIsPublishedWhenTheLastFileIsOld() async {
        let live = LiveMetrics(time: clock) { [published] in published.add() }
        await live.refresh()
        clock.advance(by: LiveMetrics.interval - 1)
        await live.refresh()
        #expect(published.current == 0)
        clock.advance(by: 1)
        await live.refresh()
        await live.refresh()
        #expect(published.current == 1)
        clock.advance(by: LiveMetrics.interval)
        await live.refresh()
        #expect(published.current == 2)
    }

    @Test func manyShardsThatCommitAtOnceWriteOneFile() async {
        let live = LiveMetrics(time: clock) { [published] in
            published.add()
            for _ in 0..<100 { await Task.yield() }
        }
        clock.advance(by: LiveMetrics.interval)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await live.refresh() } }
        }
        #expect(published.current == 1)
    }
}
