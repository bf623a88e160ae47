// The calendar side of partitions: always UTC, so that the same instant gives the same prefix on every host.

import CivilTime

/// The UTC calendar fields of an instant, down to the hour. Years outside 0...9999 are clamped to the nearest edge:
/// event times come from hostile input, and a year must stay four digits.
struct CivilHour: Equatable {
    private let fields: CivilDateTime

    static let earliest = CivilDateTime(year: 0, month: 1, day: 1).timestampAsUTC
    static let latest = CivilDateTime(
        year: 9_999, month: 12, day: 31, hour: 23, minute: 59, second: 59, microsecond: 999_999
    ).timestampAsUTC

    init(_ time: Timestamp) { fields = CivilDateTime(min(max(time, Self.earliest), Self.latest)) }

    var date: String { "\(year)-\(month)-\(day)" }
    var year: String { Self.pad(fields.year, 4) }
    var month: String { Self.pad(fields.month, 2) }
    var day: String { Self.pad(fields.day, 2) }
    var hour: String { Self.pad(fields.hour, 2) }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
