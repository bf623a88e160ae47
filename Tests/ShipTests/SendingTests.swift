// Ledger, queue, delays and budget: what is stored, what is sent when, and what memory it takes.
import AWS
import Testing

@testable import Jobs

@Suite struct AckLedgerTests {
    @Test(arguments: 1...200)
    func storedOffsetIsTheFirstHoleWhateverTheOrder(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var ranges: [Range<Int>] = []
        var place = 7
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let end = place + Int.random(in: 1...9, using: &random)
            ranges.append(place..<end)
            place = end
        }
        var ledger = AckLedger(offset: 7)
        var done: Set<Int> = []
        for range in ranges.shuffled(using: &random) {
            ledger.complete(range)
            done.formUnion(range)
            let hole = (7...).first { !done.contains($0) }
            #expect(ledger.storedOffset == hole, "seed \(seed)")
        }
        #expect(ledger == AckLedger(offset: place), "seed \(seed)")
    }
}

@Suite struct SendQueueTests {
    private func queue(bytes: Int = 1_000, window: Int = 1 << 20, inFlight: Int = 4) -> SendQueue {
        SendQueue(
            limits: SendLimits(
                requestBytesMax: bytes, windowBytesMax: window, windowRecordsMax: 2_000, requestsInFlightMax: inFlight))
    }

    private func add(_ queue: inout SendQueue, _ numbers: Range<Int>, bytes: Int = 9) {
        for number in numbers {
            [UInt8](repeating: 0x78, count: bytes).withUnsafeBytes { data in
                Array("k".utf8).withUnsafeBytes { key in
                    queue.append(
                        data: data, partitionKey: key,
                        item: ShipItem(file: 0, offset: number, end: number + 1, lines: 1))
                }
            }
        }
    }

    private func offsets(_ request: ShipRequest?) -> [Int] { request?.batch.items.map(\.offset) ?? [] }

    private func throttled(_ index: Int, shard: Int) -> PutRecordsAnswer.Failure {
        PutRecordsAnswer.Failure(
            index: index, code: "ProvisionedThroughputExceededException",
            message: "Rate exceeded for shard shardId-00000000000\(shard) in stream s under account 1.")
    }

    @Test func requestsHoldAtMost500RecordsAndTheirBytes() {
        var few = queue(bytes: 1 << 20)
        add(&few, 0..<1_001)
        #expect(few.next(now: 0, sendsPart: false)?.batch.count == 500)
        #expect(few.next(now: 0, sendsPart: false)?.batch.count == 500)
        #expect(few.next(now: 0, sendsPart: false) == nil)
        #expect(few.next(now: 0, sendsPart: true)?.batch.count == 1)
        var small = queue(bytes: 100)
        add(&small, 0..<21)
        #expect(small.next(now: 0, sendsPart: false)?.batch.bytes == 100)
        var large = queue(bytes: 100)
        add(&large, 0..<1, bytes: 500)
        #expect(large.next(now: 0, sendsPart: true)?.batch.count == 1)
    }

    @Test func noMoreRequestsAreUnderWayThanAllowed() {
        var queue = queue(bytes: 10, inFlight: 2)
        add(&queue, 0..<5)
        let first = queue.next(now: 0, sendsPart: true)
        #expect(queue.next(now: 0, sendsPart: true) != nil)
        #expect(queue.next(now: 0, sendsPart: true) == nil)
        _ = queue.settle(first?.id ?? 0, PutRecordsAnswer(storedCount: 1), now: 0, random: 0.5)
        #expect(queue.next(now: 0, sendsPart: true) != nil)
    }

    @Test func readingWaitsWhenTheWindowIsFullAndGoesOnWhenRecordsAreStored() {
        var queue = queue(bytes: 1_000, window: 500)
        add(&queue, 0..<10)
        #expect(!queue.hasRoom)
        let request = queue.next(now: 0, sendsPart: true)
        #expect(!queue.hasRoom)
        _ = queue.settle(request?.id ?? 0, PutRecordsAnswer(storedCount: 10), now: 0, random: 0.5)
        #expect(queue.hasRoom && queue.isEmpty)
    }

    @Test func onlyRefusedRecordsOfAPausedShardWaitAndOthersGoOn() {
        var queue = queue()
        add(&queue, 0..<4)
        let first = queue.next(now: 0, sendsPart: true)
        let answer = PutRecordsAnswer(
            storedCount: 3, failures: [throttled(1, shard: 1)], storedByShard: ["shardId-000000000000": 3])
        let settlement = queue.settle(first?.id ?? 0, answer, now: 0, random: 0.5)
        #expect(settlement.stored.map(\.offset) == [0, 2, 3])
        #expect(settlement.throttledByShard == ["shardId-000000000001": 1])
        #expect(queue.waitingCount == 1)
        add(&queue, 4..<5)
        #expect(offsets(queue.next(now: 0, sendsPart: true)) == [4])
        #expect(queue.next(now: 0, sendsPart: true) == nil)
        let due = queue.nextTime(now: 0)
        #expect(due == 200_000_000)
        #expect(offsets(queue.next(now: due ?? 0, sendsPart: true)) == [1])
    }

    @Test func newRecordsWaitWhileEveryKnownShardIsPaused() {
        var queue = queue()
        add(&queue, 0..<2)
        let first = queue.next(now: 0, sendsPart: true)
        let answer = PutRecordsAnswer(
            storedCount: 1, failures: [throttled(1, shard: 0)], storedByShard: ["shardId-000000000000": 1])
        _ = queue.settle(first?.id ?? 0, answer, now: 0, random: 0.5)
        add(&queue, 2..<4)
        #expect(queue.next(now: 0, sendsPart: true) == nil)
        #expect(offsets(queue.next(now: 200_000_000, sendsPart: true)) == [1])
        #expect(offsets(queue.next(now: 200_000_000, sendsPart: true)) == [2, 3])
    }

    @Test func pausesOfAShardGrowUntilItTakesARecord() {
        var queue = queue()
        add(&queue, 0..<1)
        var now: UInt64 = 0
        var pauses: [UInt64] = []
        for _ in 0..<4 {
            let request = queue.next(now: now, sendsPart: true)
            _ = queue.settle(
                request?.id ?? 0, PutRecordsAnswer(failures: [throttled(0, shard: 0)]), now: now, random: 0.9)
            let due = queue.nextTime(now: now) ?? now
            pauses.append(due - now)
            now = due
        }
        #expect(pauses == pauses.sorted() && pauses[3] > 3 * pauses[0])
    }

    @Test func afterAFailureOfTheServiceOneRequestAsksWhetherItIsBack() {
        var queue = queue(bytes: 10)
        add(&queue, 0..<6)
        let first = queue.next(now: 0, sendsPart: true)
        let second = queue.next(now: 0, sendsPart: true)
        queue.fail(first?.id ?? 0, now: 0, random: 0.5)
        queue.fail(second?.id ?? 0, now: 0, random: 0.5)
        #expect(queue.next(now: 0, sendsPart: true) == nil)
        let due = queue.nextTime(now: 0) ?? 0
        let probe = queue.next(now: due, sendsPart: true)
        #expect(offsets(probe) == [0] && probe?.freshConnection == true)
        #expect(queue.next(now: due, sendsPart: true) == nil)
        _ = queue.settle(probe?.id ?? 0, PutRecordsAnswer(storedCount: 1), now: due, random: 0.5)
        let next = queue.next(now: due, sendsPart: true)
        #expect(offsets(next) == [1] && next?.freshConnection == false)
    }

    @Test func refusedRequestIsHalvedDownToTheRecordThatIsToBlame() {
        var queue = queue()
        add(&queue, 0..<8)
        var stored: [Int] = []
        var refused: [Int] = []
        for _ in 0..<40 {
            guard let request = queue.next(now: 0, sendsPart: true) else { break }
            if offsets(request).contains(5) {
                if let alone = queue.refuse(request.id) { refused += alone.items.map(\.offset) }
            } else {
                let answer = PutRecordsAnswer(storedCount: request.batch.count)
                stored += queue.settle(request.id, answer, now: 0, random: 0.5).stored.map(\.offset)
            }
        }
        #expect(refused == [5])
        #expect(stored.sorted() == [0, 1, 2, 3, 4, 6, 7])
        #expect(queue.isEmpty && queue.hasRoom)
    }

    @Test(arguments: 1...100)
    func everyRecordIsStoredOnceWhateverTheAnswers(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var queue = queue(bytes: Int.random(in: 10...300, using: &random), window: 2_000)
        var next = 0
        var now: UInt64 = 0
        var stored: [Int] = []
        var underWay: [ShipRequest] = []
        for _ in 0..<5_000 where stored.count < 300 {
            while queue.hasRoom, next < 300 {
                add(&queue, next..<next + 1)
                next += 1
            }
            while let request = queue.next(now: now, sendsPart: Bool.random(using: &random) || next == 300) {
                underWay.append(request)
            }
            guard !underWay.isEmpty else {
                now = max(now + 1_000_000, queue.nextTime(now: now) ?? 0)
                continue
            }
            let request = underWay.remove(at: Int.random(in: 0..<underWay.count, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: queue.fail(request.id, now: now, random: 0.5)
            case 1:
                let failures = (0..<request.batch.count).filter { _ in Bool.random(using: &random) }
                    .map { throttled($0, shard: $0 % 3) }
                let answer = PutRecordsAnswer(
                    storedCount: request.batch.count - failures.count, failures: failures,
                    storedByShard: ["shardId-000000000000": 1])
                stored += queue.settle(request.id, answer, now: now, random: 0.5).stored.map(\.offset)
            default:
                let answer = PutRecordsAnswer(storedCount: request.batch.count)
                stored += queue.settle(request.id, answer, now: now, random: 0.5).stored.map(\.offset)
            }
        }
        #expect(stored.sorted() == Array(0..<300), "seed \(seed)")
        #expect(queue.isEmpty, "seed \(seed)")
    }
}

@Suite struct DelayAndBudgetTests {
    @Test func delaysStayBetweenTheirBoundsAndGrow() {
        for seed in 1...50 {
            var random = SeededRandom(seed: UInt64(seed))
            var jitter = DecorrelatedJitter()
            var previous = 0.1
            for _ in 0..<100 {
                let delay = jitter.next(random: Double.random(in: 0..<1, using: &random)) / .seconds(1)
                #expect(delay >= 0.0999 && delay <= min(20, previous * 3) + 0.0001, "seed \(seed)")
                previous = delay
            }
        }
        var jitter = DecorrelatedJitter()
        for _ in 0..<20 { _ = jitter.next(random: 0.999) }
        #expect(jitter.next(random: 0.999) > .seconds(19))
    }

    @Test(arguments: [
        (64 << 20, 1 << 20, 4), (64 << 20, 1 << 20, 64), (50 << 20, 1 << 20, 4), (200 << 20, 10 << 20, 16),
    ])
    func buffersAndRequestsFitIntoTheMemory(memory: Int, recordBytes: Int, inFlight: Int) {
        let budget = MemoryBudget(
            memory: memory, recordBytesMax: recordBytes, bufferBytesMin: recordBytes + (64 << 10),
            requestBytesMax: 5 << 20, inFlightMax: inFlight)
        #expect(budget.limits.requestBytesMax >= min(recordBytes, 5 << 20))
        #expect(budget.readBufferBytes > recordBytes)
        let window = budget.limits.windowBytesMax * MemoryBudget.bytesForEachByte
        #expect(
            MemoryBudget.baseBytes + budget.readBufferBytes + window
                <= max(memory, MemoryBudget.memoryMin(recordBytesMax: recordBytes)))
    }
}
