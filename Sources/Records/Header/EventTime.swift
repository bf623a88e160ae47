// From a header's timestamp to an instant: adds the year and the zone that it lacks. The reference is the arrival
// time, never the clock, so that a replay gives the same rows.

import CivilTime

/// Local times of one zone, with the offsets of the last minute kept: lines come in order, mostly.
final class LocalClock {
    private let table: TimeZoneTable?
    private var minute: Int64 = .min
    private var offsets = LocalOffsets(first: 0, second: 0)
    /// The year that the last reference lay in, from its first microsecond up to the next year's.
    fileprivate var year = 0
    fileprivate var yearStart: Int64 = 0
    fileprivate var yearEnd: Int64 = 0

    /// Nil when the zone is not known.
    init?(identifier: String) {
        if identifier == "UTC" || identifier == "Etc/UTC" {
            table = nil
            return
        }
        guard let table = TimeZoneTable(identifier: identifier) else { return nil }
        self.table = table
    }

    /// The instant of a local time; of an hour that comes twice the passing nearest to `reference`.
    func instant(_ local: CivilDateTime, near reference: Timestamp) -> Timestamp {
        guard let table else { return local.timestampAsUTC }
        let seconds = local.secondsAsUTC
        let minute = seconds >= 0 ? seconds / 60 : (seconds - 59) / 60
        if minute != self.minute {
            offsets = table.offsets(ofLocal: local)
            self.minute = minute
        }
        return offsets.instant(ofLocal: local, near: reference)
    }
}

extension LocalClock {
    /// The instant of a header's timestamp, nil when it has none. A missing year is the one that brings the time
    /// nearest to `reference`: in January a December line is last year's, in December a January line is next year's
    /// (sender's clock ahead). 29 February takes the nearest leap year.
    func instant(_ time: HeaderTime, near reference: Timestamp) -> Timestamp? {
        switch time.kind {
        case .absent: return nil
        case .instant:
            let local = time.fields.timestampAsUTC.microseconds
            return Timestamp(microseconds: local - Int64(time.offsetSeconds) * 1_000_000)
        case .local: return instant(time.fields, near: reference)
        case .instantWithoutYear: return nearestYear(time.fields, reference, isUTC: true)
        case .localWithoutYear: return nearestYear(time.fields, reference, isUTC: false)
        }
    }

    private func nearestYear(_ fields: CivilDateTime, _ reference: Timestamp, isUTC: Bool) -> Timestamp? {
        let referenceYear = year(of: reference)
        var fields = fields
        let isLeapDay = fields.month == 2 && fields.day == 29
        // Leap years are at most eight years apart (1896, 1904).
        let reach = isLeapDay ? 8 : 1
        var best: Timestamp?
        var bestDistance = UInt64.max
        // The reference's own year first: half a year away, no other can be nearer.
        for step in 0...(2 * reach) {
            fields.year = referenceYear + (step % 2 == 0 ? -step / 2 : step / 2 + 1)
            guard !isLeapDay || CivilDateTime.isLeap(fields.year) else { continue }
            let instant = isUTC ? fields.timestampAsUTC : instant(fields, near: reference)
            let distance = (instant.microseconds - reference.microseconds).magnitude
            if distance < bestDistance || (distance == bestDistance && instant < best ?? instant) {
                best = instant
                bestDistance = distance
            }
            if distance < 180 * 86_400_000_000 { break }
        }
        return best
    }

    private func year(of reference: Timestamp) -> Int {
        if reference.microseconds >= yearStart, reference.microseconds < yearEnd { return year }
        year = CivilDateTime(reference).year
        yearStart = CivilDateTime(year: year, month: 1, day: 1).timestampAsUTC.microseconds
        yearEnd = CivilDateTime(year: year + 1, month: 1, day: 1).timestampAsUTC.microseconds
        return year
    }
}
