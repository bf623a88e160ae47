package import CivilTime

/// The instant of a signature in the two forms that SigV4 writes: `20150830T123600Z` and its first eight digits.
package struct SigningTime: Sendable, Equatable {
    package let text: String

    package init(_ instant: Timestamp) {
        let civil = CivilDateTime(instant)
        text =
            Self.digits(civil.year, 4) + Self.digits(civil.month, 2) + Self.digits(civil.day, 2) + "T"
            + Self.digits(civil.hour, 2) + Self.digits(civil.minute, 2) + Self.digits(civil.second, 2) + "Z"
    }

    package var date: String { String(text.prefix(8)) }

    private static func digits(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
