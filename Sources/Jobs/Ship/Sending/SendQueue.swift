// What is to be sent, what is under way, and what waits to be sent again. Pure: the clock's reading and random numbers
// come in, requests come out. What must stay true: a record is in exactly one place until the stream has stored it or
// it was set aside as refused; only what failed is sent again.
import AWS

/// One request that is to be sent now.
struct ShipRequest: Equatable {
    var id: Int
    var batch: ShipBatch
    /// The request before it failed as a whole: meet another machine behind the name.
    var freshConnection: Bool
}

struct SendLimits: Equatable {
    /// Data and partition keys of one request.
    var requestBytesMax: Int
    /// Everything that is read and not stored yet; reading waits above it.
    var windowBytesMax: Int
    /// The same in records. Short ones fill requests long before they fill the memory.
    var windowRecordsMax: Int
    var requestsInFlightMax: Int
}

/// What came of one answer.
struct Settlement: Equatable {
    var stored: [ShipItem] = []
    var storedByShard: [String: Int] = [:]
    /// Records to be sent again, by what the stream said.
    var failures: [String: Int] = [:]
    var throttledByShard: [String: Int] = [:]
    var failedCount: Int { failures.values.reduce(0, +) }
}

struct SendQueue {
    /// Records that failed without a shard's name wait under this one.
    static let unnamedShard = ""

    let limits: SendLimits
    private let stream: String
    /// Filled, and being filled.
    private var ready: [ShipBatch] = []
    private var open: ShipBatch
    private var inFlight: [Int: ShipBatch] = [:]
    private var nextID = 0
    /// Requests that failed as a whole, oldest first.
    private var failed: [ShipBatch] = []
    /// Parts of a request that the stream refused as a whole.
    private var suspects: [ShipBatch] = []
    /// Records that failed alone, by shard, each shard with its pause.
    private var waiting: [String: (batches: [ShipBatch], pause: Pause)] = [:]
    private var knownShards: Set<String> = []
    private var servicePause = Pause()
    private(set) var cost = 0
    private var recordCount = 0

    /// A time before which nothing is tried.
    private struct Pause {
        var until: UInt64 = 0
        var jitter = DecorrelatedJitter()
        var isFailing = false

        mutating func fail(now: UInt64, random: Double) {
            // Several requests that were under way together count as one failure.
            if isFailing, until > now { return }
            isFailing = true
            until = now + UInt64(jitter.next(random: random) / .nanoseconds(1))
        }

        mutating func succeed() { self = Pause() }
    }

    /// - Parameter stream: name or ARN of the stream that the records are for.
    init(limits: SendLimits, stream: String = "") {
        precondition(limits.requestBytesMax > 0 && limits.requestsInFlightMax > 0, "a queue must be able to send")
        self.limits = limits
        self.stream = stream
        open = ShipBatch(stream: stream)
    }

    /// False when reading must wait until something is stored.
    var hasRoom: Bool { cost < limits.windowBytesMax && recordCount < limits.windowRecordsMax }
    var isEmpty: Bool { cost == 0 }
    var inFlightCount: Int { inFlight.count }
    /// Records that were sent at least once and are to be sent again.
    var waitingCount: Int {
        failed.reduce(0) { $0 + $1.count } + suspects.reduce(0) { $0 + $1.count }
            + waiting.values.reduce(0) { $0 + $1.batches.reduce(0) { $0 + $1.count } }
    }

    /// Takes a record. The caller has looked at `hasRoom`; what it took with one reading may go beyond.
    mutating func append(
        data: UnsafeRawBufferPointer, partitionKey: UnsafeRawBufferPointer, explicitHashKey: UInt128? = nil,
        item: ShipItem
    ) {
        let bytes = data.count + partitionKey.count
        if !open.fits(bytes, bytesMax: limits.requestBytesMax) {
            let next = open.empty()
            ready.append(open)
            open = next
        }
        open.append(data: data, partitionKey: partitionKey, explicitHashKey: explicitHashKey, item: item)
        cost += bytes + ShipBatch.itemBytes
        recordCount += 1
    }

    // MARK: - Requests

    /// The next request, if one may be sent now.
    ///
    /// - Parameter sendsPart: a part-filled request of new records may go.
    mutating func next(now: UInt64, sendsPart: Bool) -> ShipRequest? {
        guard inFlight.count < limits.requestsInFlightMax else { return nil }
        let isProbing = servicePause.isFailing
        if isProbing {
            // After a failure of the service one request at a time asks whether it is back.
            guard servicePause.until <= now, inFlight.isEmpty else { return nil }
        }
        guard let batch = takeSuspect() ?? takeFailed() ?? takeWaiting(now) ?? takeNew(sendsPart) else { return nil }
        nextID += 1
        inFlight[nextID] = batch
        return ShipRequest(id: nextID, batch: batch, freshConnection: isProbing)
    }

    private mutating func takeSuspect() -> ShipBatch? { suspects.isEmpty ? nil : suspects.removeLast() }
    private mutating func takeFailed() -> ShipBatch? { failed.isEmpty ? nil : failed.removeFirst() }

    /// As much as fits of all shards whose pause is over.
    private mutating func takeWaiting(_ now: UInt64) -> ShipBatch? {
        var taken: ShipBatch?
        for shard in waiting.keys.sorted() {
            guard var entry = waiting[shard], entry.pause.until <= now else { continue }
            while let first = entry.batches.first {
                // Sizes only: with a copy at hand, appending would copy the whole batch.
                guard let (count, bytes) = taken.map({ ($0.count, $0.bytes) }) else {
                    taken = first
                    entry.batches.removeFirst()
                    continue
                }
                guard count + first.count <= ShipBatch.recordsMax, bytes + first.bytes <= limits.requestBytesMax
                else { break }
                for index in 0..<first.count { taken?.append(index, of: first) }
                entry.batches.removeFirst()
            }
            waiting[shard] = entry
        }
        return taken
    }

    /// New records wait while every shard that is known has records of its own waiting.
    private mutating func takeNew(_ sendsPart: Bool) -> ShipBatch? {
        let isBlocked = waiting[Self.unnamedShard]?.batches.isEmpty == false
        if isBlocked || !knownShards.isEmpty && knownShards.allSatisfy({ waiting[$0]?.batches.isEmpty == false }) {
            return nil
        }
        if !ready.isEmpty { return ready.removeFirst() }
        guard sendsPart, !open.isEmpty else { return nil }
        defer { open = open.empty() }
        return open
    }

    /// When waiting alone lets another request go; nil when only answers or new records can.
    func nextTime(now: UInt64) -> UInt64? {
        guard inFlight.count < limits.requestsInFlightMax else { return nil }
        if servicePause.isFailing {
            return inFlight.isEmpty && !isEmpty ? servicePause.until : nil
        }
        return waiting.values.filter { !$0.batches.isEmpty }.map(\.pause.until).min()
    }

    // MARK: - Answers

    /// Takes the answer to request `id`: what is stored leaves, the rest waits for its shard.
    mutating func settle(_ id: Int, _ answer: PutRecordsAnswer, now: UInt64, random: Double) -> Settlement {
        guard let batch = inFlight.removeValue(forKey: id) else { preconditionFailure("an answer to no request") }
        servicePause.succeed()
        var settlement = Settlement(storedByShard: answer.storedByShard)
        knownShards.formUnion(answer.storedByShard.keys)
        for shard in answer.storedByShard.keys {
            waiting[shard]?.pause.succeed()
        }
        var again: [String: ShipBatch] = [:]
        var next = 0
        for failure in answer.failures {
            settlement.stored += batch.items[next..<failure.index]
            next = failure.index + 1
            let shard = failure.shard ?? Self.unnamedShard
            again[shard, default: ShipBatch(stream: stream)].append(failure.index, of: batch)
            settlement.failures[failure.code, default: 0] += 1
            if let shard = failure.shard { settlement.throttledByShard[shard, default: 0] += 1 }
        }
        if next == 0 { settlement.stored = batch.items } else { settlement.stored += batch.items[next...] }
        cost -= batch.cost
        recordCount -= batch.count
        for (shard, records) in again {
            recordCount += records.count
            if shard != Self.unnamedShard { knownShards.insert(shard) }
            cost += records.cost
            waiting[shard, default: ([], Pause())].batches.append(records)
            waiting[shard]?.pause.fail(now: now, random: random)
        }
        waiting = waiting.filter { !$0.value.batches.isEmpty }
        return settlement
    }

    /// Request `id` failed as a whole and may succeed later: all of it is sent again.
    mutating func fail(_ id: Int, now: UInt64, random: Double) {
        guard let batch = inFlight.removeValue(forKey: id) else { preconditionFailure("a failure of no request") }
        failed.append(batch)
        servicePause.fail(now: now, random: random)
    }

    /// The stream will not take request `id`, however often it is asked: its halves are tried. Gives the record when it
    /// was alone; the caller keeps it elsewhere.
    mutating func refuse(_ id: Int) -> ShipBatch? {
        guard let batch = inFlight.removeValue(forKey: id) else { preconditionFailure("a refusal of no request") }
        guard batch.count > 1 else {
            cost -= batch.cost
            recordCount -= 1
            return batch
        }
        let (first, second) = batch.halves()
        suspects += [second, first]
        return nil
    }

    /// Gives up waiting for request `id`; its records stay unsent as far as anybody knows.
    mutating func abandon(_ id: Int) {
        if let batch = inFlight.removeValue(forKey: id) { failed.append(batch) }
    }
}
