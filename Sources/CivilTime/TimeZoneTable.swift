// The offsets of one IANA zone, for turning local wall-clock times into instants without Foundation per line.
// Offsets of a year are taken from Foundation once, when that year is first asked for, and kept. The result for a
// local time depends on nothing but the zone data and that time.

import Foundation
import Synchronization

/// Offsets that a local time can have. They differ only where clocks were turned back and the hour came twice.
package struct LocalOffsets: Hashable, Sendable {
    /// Seconds east of UTC, of the first passing of that local time.
    package var first: Int
    /// Of the second passing.
    package var second: Int

    package init(first: Int, second: Int) {
        self.first = first
        self.second = second
    }
}

/// One IANA time zone, safe to share.
package final class TimeZoneTable: Sendable {
    package let identifier: String
    private let zone: TimeZone
    private let years = Mutex<[Int: [Segment]]>([:])

    /// A stretch of time with one offset.
    private struct Segment {
        /// First second of the stretch, since 1970.
        var start: Int64
        var offset: Int
    }

    /// Years whose offsets are looked up. Local times before and after use the offset at the near end, which keeps
    /// the table small whatever dates hostile input holds.
    package static let yearRange = 1_900...2_200

    /// Nil when the zone is not known to this system.
    package init?(identifier: String) {
        guard let zone = TimeZone(identifier: identifier) else { return nil }
        self.identifier = identifier
        self.zone = zone
    }

    /// The instant of a local time. Where clocks are turned back and the hour comes twice, it is the first passing;
    /// where they are turned forward and the time never was, the clock is taken as not yet turned (02:30 becomes
    /// 03:30). This is the "compatible" rule of RFC 5545 and ECMAScript Temporal.
    package func instant(ofLocal local: CivilDateTime) -> Timestamp {
        TimeZoneTable.instant(ofLocal: local, offset: offsets(ofLocal: local).first)
    }

    /// As `instant(ofLocal:)`, but of two passings takes the one nearest to `reference`; the first when both are
    /// equally near.
    package func instant(ofLocal local: CivilDateTime, near reference: Timestamp) -> Timestamp {
        offsets(ofLocal: local).instant(ofLocal: local, near: reference)
    }

    /// The offsets in force at a local time; see `instant(ofLocal:)` for a time that never was. All seconds of one
    /// local minute have the same offsets: zone changes fall on whole minutes since 1972 (RFC 9636 has the data).
    package func offsets(ofLocal local: CivilDateTime) -> LocalOffsets {
        let seconds = local.secondsAsUTC
        let segments = segments(ofYear: min(max(local.year, Self.yearRange.lowerBound), Self.yearRange.upperBound))
        var offsets: LocalOffsets?
        for (i, segment) in segments.enumerated() {
            let instant = seconds - Int64(segment.offset)
            let isLast = i + 1 == segments.count
            guard (i == 0 || instant >= segment.start) && (isLast || instant < segments[i + 1].start) else { continue }
            if let first = offsets?.first { return LocalOffsets(first: first, second: segment.offset) }
            offsets = LocalOffsets(first: segment.offset, second: segment.offset)
        }
        if let offsets { return offsets }
        // No stretch holds this local time: the clock jumped over it. The offset before the jump is the last one
        // whose stretch had ended.
        var before = segments[0].offset
        for i in 0..<(segments.count - 1) where seconds - Int64(segments[i].offset) >= segments[i + 1].start {
            before = segments[i].offset
        }
        return LocalOffsets(first: before, second: before)
    }

    static func instant(ofLocal local: CivilDateTime, offset: Int) -> Timestamp {
        Timestamp(microseconds: local.timestampAsUTC.microseconds - Int64(offset) * 1_000_000)
    }

    /// The stretches that touch a year, from two days before it to two days after, in order.
    private func segments(ofYear year: Int) -> [Segment] {
        years.withLock { years in
            if let known = years[year] { return known }
            let first = Int64(CivilDateTime.days(year: year, month: 1, day: -1)) * 86_400
            let last = Int64(CivilDateTime.days(year: year + 1, month: 1, day: 3)) * 86_400
            var found = [Segment(start: first, offset: offset(at: first))]
            // A day is shorter than any stretch since 1972.
            for day in stride(from: first + 86_400, through: last, by: 86_400) {
                let offset = offset(at: day)
                guard offset != found[found.count - 1].offset else { continue }
                let start = firstSecond(with: offset, after: day - 86_400, notAfter: day)
                found.append(Segment(start: start, offset: offset))
            }
            years[year] = found
            return found
        }
    }

    private func firstSecond(with offset: Int, after low: Int64, notAfter high: Int64) -> Int64 {
        var low = low
        var high = high
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if self.offset(at: middle) == offset { high = middle } else { low = middle }
        }
        return high
    }

    private func offset(at seconds: Int64) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
    }
}

extension LocalOffsets {
    /// The instant of `local` under these offsets; of two passings the one nearest to `reference`.
    package func instant(ofLocal local: CivilDateTime, near reference: Timestamp) -> Timestamp {
        let a = TimeZoneTable.instant(ofLocal: local, offset: first)
        if first == second { return a }
        let b = TimeZoneTable.instant(ofLocal: local, offset: second)
        let isSecondNearer =
            (reference.microseconds - b.microseconds).magnitude < (reference.microseconds - a.microseconds).magnitude
        return isSecondNearer ? b : a
    }
}
