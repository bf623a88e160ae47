// Reads one shard page by page: iterators, pacing, expired iterators, trimmed checkpoints, the end of a shard.
// Two positions, two names: `lastRead` is where reading is; the checkpoint lives in the state store and is not
// touched here.

import AWS
import Batching
import CivilTime
import Diagnostics

/// One page of records, of which those from `firstNew` on have not been archived yet.
struct ShardPage {
    var records: GetRecordsPage
    var firstNew = 0
    /// Set when records expired between the checkpoint and this page.
    var gap: GapRecord?
    /// True when nothing can follow on this shard.
    var isEnd = false
    /// Everything that arrived before this instant has been read, with this page.
    var horizon: Timestamp
    /// How far the server's clock is ahead of this machine's; zero when they may agree.
    var clockSkew: Duration = .zero
    /// False while it is open whether the checkpoint was trimmed: the page's lag then says nothing.
    var isSettled = true
}

/// Where reading of a shard begins.
enum ReadStart: Sendable {
    /// After what the checkpoint says is archived.
    case position(ShardPosition)
    /// At the tip: the first run of a job with `start: latest`.
    case tip
    /// With exactly this record, which must still be there.
    case record(SequenceNumber)
}

/// Not Sendable: it belongs to the worker of one shard.
final class PageReader {
    /// A checkpoint that was trimmed can show as endless empty pages whose lag equals the retention.
    static let trimmedEmptyPagesMax = 3
    /// Tries with the same iterator when a shard seems to end without naming children.
    static let childlessEndsMax = 3

    private let stream: String
    private let shard: String
    private let retention: Duration
    private let storedHorizon: Timestamp?
    private let dependencies: ArchiveDependencies
    private let mayWait: @Sendable () -> Bool
    private let recordsMax: Int?

    private var start: ReadStart
    private var lastRead: SequenceNumber?
    private var iterator: String?
    /// The checkpoint's own record must be the first to come back; nil when that is settled.
    private var anchor: SequenceNumber?
    private var anchorIsLost = false
    /// A shard without a checkpoint whose parents were read: what it held since then must still be there.
    private var owesHorizonCheck = false
    private var trimmedEmptyPages = 0
    private var childlessEnds = 0
    private var pacer: Pacer
    private var patience = Patience()
    private(set) var retries = 0
    private var clockSkew: Duration = .zero

    /// - Parameters:
    ///   - recordsMax: of a page; nil leaves it to Kinesis.
    ///   - mayWait: false once the run has to end: a failing call is then not tried again.
    init(
        stream: String, shard: String, start: ReadStart, storedHorizon: Timestamp?,
        retention: Duration, bytesPerSecond: Int?, recordsMax: Int? = nil, dependencies: ArchiveDependencies,
        mayWait: @escaping @Sendable () -> Bool
    ) {
        self.stream = stream
        self.shard = shard
        self.start = start
        self.storedHorizon = storedHorizon
        self.retention = retention
        self.dependencies = dependencies
        self.mayWait = mayWait
        self.recordsMax = recordsMax
        pacer = Pacer(bytesPerSecond: bytesPerSecond)
        switch start {
        case .position(.after(let sequence)): anchor = sequence
        case .position(.trimHorizon), .position(.timestamp): owesHorizonCheck = storedHorizon != nil
        case .position(.ended), .tip, .record: break
        }
    }

    /// The next page; it may be empty. Throws what ends this shard's part of the run.
    func next() async throws -> ShardPage {
        while true {
            if iterator == nil, try await acquireIterator() == .ended {
                return endedWithoutPage()
            }
            guard let current = iterator else { continue }
            let records: GetRecordsPage
            do {
                records = try await patiently { try await self.fetch(current) }
            } catch let error as AWSError where error.code.hasSuffix("ExpiredIteratorException") {
                iterator = nil
                continue
            }
            if let page = try await examine(records, iterator: current) { return page }
        }
    }

    private func fetch(_ iterator: String) async throws -> GetRecordsPage {
        let now = dependencies.time.monotonicNanoseconds()
        let wait = pacer.wait(now: now)
        if wait > 0 { try await dependencies.pause(for: .nanoseconds(Int64(wait))) }
        let sent = dependencies.time.now()
        let page = try await dependencies.kinesis.getRecords(
            iterator: iterator, limit: recordsMax, subject: "\(stream)/\(shard)")
        clockSkew = ClockSkew.between(sent: sent, received: dependencies.time.now(), serverDate: page.serverDate)
        pacer.note(end: dependencies.time.monotonicNanoseconds(), bytes: page.countedBytes)
        return page
    }

    /// Settles anchor and end; nil when the page says nothing and reading must go on elsewhere.
    private func examine(_ records: GetRecordsPage, iterator current: String) async throws -> ShardPage? {
        let lag = Duration.milliseconds(records.millisBehindLatest)
        var page = ShardPage(records: records, horizon: records.serverDate.adding(.zero - lag))
        page.clockSkew = clockSkew
        if records.count == 0, anchor != nil, !anchorIsLost, lag >= retention, records.nextIterator != nil {
            trimmedEmptyPages += 1
            if trimmedEmptyPages >= Self.trimmedEmptyPagesMax {
                loseAnchor()
                return nil
            }
        }
        settleAnchor(&page)
        page.isSettled = anchor == nil
        if let last = lastSequence(of: records) { lastRead = last }
        if let following = records.nextIterator {
            iterator = following
            childlessEnds = 0
            return page
        }
        if !records.isConsistent {
            childlessEnds += 1
            if childlessEnds < Self.childlessEndsMax {
                // The answer is not trusted; what it brought is read again through a new iterator.
                iterator = records.count == 0 ? current : nil
                return records.count == 0 ? nil : page
            }
            try await confirmClosed()
        }
        page.isEnd = true
        return page
    }

    private func lastSequence(of records: GetRecordsPage) -> SequenceNumber? {
        records.count == 0 ? nil : SequenceNumber(records.sequenceNumber(records.count - 1))
    }

    private func settleAnchor(_ page: inout ShardPage) {
        guard let expected = anchor else {
            if owesHorizonCheck, page.records.count > 0 {
                owesHorizonCheck = false
                page.gap = gap(after: nil, upTo: page.records.arrival(0), now: page.records.serverDate)
            }
            return
        }
        let records = page.records
        if records.count > 0 {
            anchor = nil
            if !anchorIsLost, records.sequenceNumber(0) == expected.text {
                page.firstNew = 1
                return
            }
            // An iterator that began before the checkpoint: what is archived is passed over.
            var index = 0
            while index < records.count, let sequence = SequenceNumber(records.sequenceNumber(index)),
                sequence <= expected
            {
                index += 1
            }
            page.firstNew = index
            if index > 0 { return }
            page.gap = gap(after: expected, upTo: records.arrival(0), now: records.serverDate)
        } else if records.millisBehindLatest == 0 || records.nextIterator == nil {
            anchor = nil
            page.gap = gap(after: expected, upTo: nil, now: records.serverDate)
        }
    }

    /// By the server's clock: it is the one that expires records.
    private func gap(after checkpoint: SequenceNumber?, upTo firstArrival: Timestamp?, now: Timestamp) -> GapRecord? {
        GapCheck.gap(
            after: checkpoint, horizon: storedHorizon, firstArrival: firstArrival, now: now, retention: retention)
    }

    private func loseAnchor() {
        anchorIsLost = true
        start = .position(.trimHorizon)
        iterator = nil
    }

    private enum Acquired { case open, ended }

    private func acquireIterator() async throws -> Acquired {
        let kind: IteratorPosition
        if let lastRead {
            kind = .afterSequence(lastRead.text)
        } else {
            switch start {
            case .tip: kind = .latest
            case .record(let sequence), .position(.after(let sequence)): kind = .atSequence(sequence.text)
            case .position(.trimHorizon): kind = .trimHorizon
            case .position(.timestamp(let milliseconds)): kind = .atTimestamp(Timestamp(milliseconds: milliseconds))
            case .position(.ended): return .ended
            }
        }
        do {
            iterator = try await patiently {
                try await self.dependencies.kinesis.getShardIterator(
                    stream: self.stream, shard: self.shard, position: kind)
            }
            return .open
        } catch let error as AWSError where error.code.hasSuffix("InvalidArgumentException") {
            if error.message.contains("max possible value") { return .ended }
            if error.message.contains("no longer available"), anchor != nil, !anchorIsLost {
                loseAnchor()
                return try await acquireIterator()
            }
            if error.message.contains("did not come from this stream") || error.message.contains("It encodes") {
                throw ArchiveError(
                    "read shard", shard, "the checkpoint does not belong to this stream: \(error.message)",
                    hint: "the stream was deleted and created anew; give the job a new name or state.directory",
                    exitCode: .stateOrIdentity)
            }
            throw error
        }
    }

    private func endedWithoutPage() -> ShardPage {
        var page = ShardPage(
            records: .empty(serverDate: dependencies.time.now()), horizon: dependencies.time.now())
        page.isEnd = true
        return page
    }

    private func confirmClosed() async throws {
        let shards = try await patiently {
            try await self.dependencies.kinesis.listShards(stream: self.stream, filter: nil)
        }
        guard let mine = shards.first(where: { $0.id == shard }) else { return }
        if mine.endingSequence == nil {
            throw ArchiveError(
                "read shard", shard, "Kinesis gave no next iterator although the shard is open",
                hint: "run again; if it stays, look at the stream's status", exitCode: .temporary, isTransient: true)
        }
    }

    /// Tries again after transient failures, seconds apart, while the run may wait.
    private func patiently<T>(_ call: () async throws -> T) async throws -> T {
        while true {
            do {
                let result = try await call()
                patience.reset()
                return result
            } catch let error as any DiagnosticError where error.isTransient && mayWait() {
                retries += 1
                guard let delay = patience.fail(random: dependencies.random()) else { throw error }
                dependencies.events.event(
                    .warning, error.diagnostic.summary,
                    [("shard", shard), ("retry_in", "\(delay)"), ("failures", "\(patience.failures)")])
                try await dependencies.pause(for: delay)
            }
        }
    }
}
