// An instant, in whole microseconds since 1970-01-01T00:00:00Z. No leap seconds, no zone, no Foundation.

/// An instant with microsecond resolution; the range of `Int64` microseconds covers ±292,000 years.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    package init(milliseconds: Int64) { self.microseconds = milliseconds * 1_000 }
    package init(seconds: Int64) { self.microseconds = seconds * 1_000_000 }

    /// Whole seconds, rounded towards the past.
    package var seconds: Int64 { (microseconds >= 0 ? microseconds : microseconds - 999_999) / 1_000_000 }
    /// Whole milliseconds, rounded towards the past.
    package var milliseconds: Int64 { (microseconds >= 0 ? microseconds : microseconds - 999) / 1_000 }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    package func adding(_ duration: Duration) -> Timestamp {
        let (s, atto) = duration.components
        return Timestamp(microseconds: microseconds + s * 1_000_000 + atto / 1_000_000_000_000)
    }

    /// Time from `earlier` to this instant; negative when `earlier` is later.
    package func since(_ earlier: Timestamp) -> Duration { .microseconds(microseconds - earlier.microseconds) }
}
