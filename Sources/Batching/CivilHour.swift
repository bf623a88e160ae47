// Calendar arithmetic for partitions and manifests: days to civil date and back in the proleptic Gregorian calendar,
// always UTC, so that the same instant gives the same text on every host.

import CivilTime

/// The UTC calendar fields of an instant, down to the hour. Years outside 0...9999 are clamped to the nearest edge:
/// event times come from hostile input, and a year must stay four digits.
struct CivilHour: Equatable {
    private(set) var year: Int
    private(set) var month: Int
    private(set) var day: Int
    private(set) var hour: Int

    /// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z.
    static let earliest = Timestamp(seconds: -62_167_219_200)
    static let latest = Timestamp(microseconds: 253_402_300_799_999_999)

    init(_ time: Timestamp) {
        let seconds = min(max(time, Self.earliest), Self.latest).seconds
        let days = Self.floor(seconds, by: 86_400)
        hour = Int((seconds - days * 86_400) / 3_600)
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
        let shifted = days + 719_468
        let era = Self.floor(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
    }

    /// Days from 1970-01-01 to the first day of a month; `month` may be 13 for January of the next year.
    static func days(year: Int, month: Int) -> Int64 {
        let (year, month) = month == 13 ? (year + 1, 1) : (year, month)
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let era = floor(shiftedYear, by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func floor(_ value: Int64, by divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    var date: String { "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(day, 2))" }

    static func pad(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
