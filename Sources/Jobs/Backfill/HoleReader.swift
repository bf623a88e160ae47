// Reads the records of one hole, in order, page by page, and finds out what has expired of it. It begins with the
// archive's last record before the hole where there is one: when that still comes back, nothing behind it is missing.

import AWS
import Batching
import CivilTime
import Diagnostics

/// Not Sendable: it belongs to the worker of one shard.
final class HoleReader {
    /// AT_TIMESTAMP is asked for this much before the range: arrival times may be out of order by moments.
    static let disorderDoubt = Duration.seconds(5)

    private let hole: ShardHole
    private let range: TimeRange
    private let floor: Timestamp
    private let retention: Duration
    private let make: (ReadStart, Timestamp?) -> PageReader
    private var pages: PageReader
    private var cursor: RangeCursor
    private var hasJumped = false
    private var hasLoosened = false
    private var retriesBefore = 0
    private var lastRead: (sequence: SequenceNumber, arrival: Timestamp)?

    /// Nothing lies between the archive, or the last record taken, and the next record.
    private(set) var isAnchored: Bool
    /// Set when records expired before the next record that is taken.
    private(set) var gap: GapRecord?
    private var expired: [TimeRange] = []

    /// What of the range has left the stream, if there was anything. Behind the last manifest of a shard that the job has
    /// read to its end there was nothing, unless something is still there.
    var lost: [TimeRange] {
        hole.isRead && !cursor.hasTaken ? [] : expired
    }
    var retries: Int { retriesBefore + pages.retries }

    /// What one page brought.
    enum Step {
        /// Records of `page` to take, by index; more pages follow.
        case records([Int], page: GetRecordsPage)
        /// The same, and then the manifest after the hole begins: nothing is missing in between.
        case untilManifest([Int], page: GetRecordsPage)
        /// The same, and then the range, the shard or the job's own part begins.
        case untilEnd([Int], page: GetRecordsPage)
    }

    init(
        hole: ShardHole, range: TimeRange, floor: Timestamp, retention: Duration,
        pages make: @escaping (ReadStart, Timestamp?) -> PageReader
    ) {
        self.hole = hole
        self.range = range
        self.floor = floor
        self.retention = retention
        self.make = make
        cursor = RangeCursor(hole: hole, range: range)
        isAnchored = hole.after != nil
        if let after = hole.after {
            // No horizon: when the record does not come back, that alone says that something may have expired.
            pages = make(.position(.after(after.last)), nil)
        } else {
            pages = make(Self.atRange(range), max(range.from, floor))
        }
    }

    private static func atRange(_ range: TimeRange) -> ReadStart {
        .position(.timestamp(max(0, range.from.adding(.zero - disorderDoubt).milliseconds)))
    }

    /// The next page's part of the hole. After an `until…` there is nothing more.
    func next() async throws -> Step {
        while true {
            let page = try await pages.next()
            if let found = page.gap { note(found, page) }
            noteOvertaken(page)
            var taken: [Int] = []
            for index in page.firstNew..<max(page.firstNew, page.records.count) {
                guard let sequence = SequenceNumber(page.records.sequenceNumber(index)) else {
                    throw ArchiveError(
                        "read record", "\(page.records.sequenceNumber(index))",
                        "its sequence number is not a decimal number", exitCode: .internalFault)
                }
                lastRead = (sequence, page.records.arrival(index))
                switch cursor.judge(sequence, arrival: page.records.arrival(index)) {
                case .skip: loosen()
                case .take: taken.append(index)
                case .reachedManifest: return .untilManifest(taken, page: page.records)
                case .reachedEnd: return .untilEnd(taken, page: page.records)
                }
            }
            if page.isEnd || (page.isSettled && page.records.millisBehindLatest == 0) {
                // The manifest after the hole was not met, or nothing at all: all of it has expired, if it was there.
                if hole.before != nil || (hole.after == nil && !cursor.hasTaken) {
                    noteExpired(now: page.records.serverDate)
                }
                return .untilEnd(taken, page: page.records)
            }
            if !taken.isEmpty { return .records(taken, page: page.records) }
            jump(page)
        }
    }

    /// The batch with what `gap` says was begun; what follows it is anchored.
    func didTake() {
        gap = nil
        isAnchored = true
    }

    /// Records that nobody asked for lie between the archive and the range.
    private func loosen() {
        guard cursor.hasSkipped, !hasLoosened else { return }
        hasLoosened = true
        isAnchored = false
        gap = nil
    }

    /// A range that begins long after the archive's end is not looked for record by record.
    private func jump(_ page: ShardPage) {
        guard !hasJumped, hole.after != nil, cursor.hasSkipped, !cursor.hasTaken, page.records.count > 0 else { return }
        hasJumped = true
        retriesBefore += pages.retries
        pages = make(Self.atRange(range), nil)
    }

    private func note(_ found: GapRecord, _ page: ShardPage) {
        isAnchored = false
        let now = page.records.serverDate
        gap = GapRecord(
            after: hole.after?.last, from: found.from ?? hole.after?.arrival,
            to: min(found.to ?? trimHorizon(now), trimHorizon(now)))
        noteExpired(now: now)
    }

    private func noteExpired(now: Timestamp) {
        guard let window = hole.expired(range, floor: floor, trimHorizon: trimHorizon(now)), !expired.contains(window)
        else { return }
        expired.append(window)
    }

    /// What arrived before this may have expired. A Date is cut to whole seconds: rather a moment too much than a record
    /// too few.
    private func trimHorizon(_ now: Timestamp) -> Timestamp { now.adding(ClockSkew.tolerance - retention) }

    /// The trim horizon can overtake a slow reader between two pages; Kinesis then goes on behind it without a word.
    private func noteOvertaken(_ page: ShardPage) {
        guard let lastRead, page.records.count > 0 else { return }
        let horizon = page.records.serverDate.adding(.zero - retention)
        let next = page.records.arrival(0)
        guard lastRead.arrival < horizon, next >= horizon else { return }
        isAnchored = false
        let to = min(next, trimHorizon(page.records.serverDate))
        if cursor.hasTaken || !cursor.hasSkipped {
            gap = GapRecord(after: lastRead.sequence, from: lastRead.arrival, to: to)
        }
        if let window = range.part(from: lastRead.arrival, to: to) { expired.append(window) }
    }
}
