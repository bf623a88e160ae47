// Numbers the spans of time that a prefix can tell apart: hours, days, months, years, or all of time.

import CivilTime

struct TimeBucket {
    /// A span that renders alike. `end` is exclusive.
    struct Span: Equatable {
        var number: Int64
        var start: Timestamp
        var end: Timestamp
    }

    private enum Width { case hour, day, month, year, always }
    private let width: Width

    init(fields: [PrefixTemplate.Field]) {
        // `{hour}` or `{day}` alone repeats over days or months, but a span need only be as narrow as its finest part:
        // the partition is found by its text then.
        if fields.contains(.hour) {
            width = .hour
        } else if fields.contains(.date) || fields.contains(.day) {
            width = .day
        } else if fields.contains(.month) {
            width = .month
        } else if fields.contains(.year) {
            width = .year
        } else {
            width = .always
        }
    }

    func span(containing time: Timestamp) -> Span {
        if width == .always {
            return Span(number: 0, start: Timestamp(microseconds: .min), end: Timestamp(microseconds: .max))
        }
        // Instants that `CivilHour` clamps belong to the first and the last span.
        let clamped = min(max(time, CivilHour.earliest), CivilHour.latest)
        var span = inner(clamped)
        if span.start <= CivilHour.earliest { span.start = Timestamp(microseconds: .min) }
        if span.end > CivilHour.latest { span.end = Timestamp(microseconds: .max) }
        return span
    }

    private func inner(_ time: Timestamp) -> Span {
        let civil = CivilDateTime(time)
        switch width {
        case .hour: return even(time, seconds: 3_600)
        case .day: return even(time, seconds: 86_400)
        case .month:
            let next = civil.month == 12 ? (civil.year + 1, 1) : (civil.year, civil.month + 1)
            return span(civil.year * 12 + civil.month - 1, from: (civil.year, civil.month), to: next)
        case .year, .always:
            return span(civil.year, from: (civil.year, 1), to: (civil.year + 1, 1))
        }
    }

    private func even(_ time: Timestamp, seconds: Int64) -> Span {
        let number = (time.seconds - (time.seconds % seconds + seconds) % seconds) / seconds
        return Span(
            number: number, start: Timestamp(seconds: number * seconds), end: Timestamp(seconds: (number + 1) * seconds)
        )
    }

    private func span(_ number: Int, from: (year: Int, month: Int), to: (year: Int, month: Int)) -> Span {
        Span(
            number: Int64(number),
            start: CivilDateTime(year: from.year, month: from.month, day: 1).timestampAsUTC,
            end: CivilDateTime(year: to.year, month: to.month, day: 1).timestampAsUTC)
    }
}
