// Sizes and durations as people write them: `64MiB`, `2MB`, `90s`, `1h30m`. A bare number is refused, because it
// does not say what it counts.

enum Quantities {
    static let sizeUnits: [(name: String, bytes: Int)] = [
        ("B", 1), ("kB", 1_000), ("KB", 1_000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20),
        ("GB", 1_000_000_000), ("GiB", 1 << 30),
    ]
    static let durationUnits: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]
    static let sizeHelp = "a number and a unit (B, kB, KiB, MB, MiB, GB, GiB), such as 64MiB"
    static let durationHelp = "numbers with units (d, h, m, s, ms), such as 10m or 1h30m"

    /// Digits of a number; more could overflow.
    private static let digitsMax = 12

    /// Bytes; nil when `text` is no size. At most three decimals: `1.5GiB`; a fraction of a byte is cut.
    static func size(_ text: String) -> Int? {
        guard let (thousandths, rest) = number(Substring(text), decimalsMax: 3) else { return nil }
        let unit = rest.drop { $0 == " " }
        guard let bytes = sizeUnits.first(where: { $0.name == unit })?.bytes else { return nil }
        let (product, overflow) = thousandths.multipliedReportingOverflow(by: bytes)
        return overflow ? nil : product / 1_000
    }

    /// Nil when `text` is no duration. Parts stand from the largest unit to the smallest, each unit once.
    static func duration(_ text: String) -> Duration? {
        var rest = Substring(text)
        var total = 0
        var unitIndex = -1
        repeat {
            guard let (thousandths, after) = number(rest, decimalsMax: 0) else { return nil }
            let unit = after.prefix { $0.isLetter }
            guard let index = durationUnits.firstIndex(where: { $0.name == unit }), index > unitIndex else {
                return nil
            }
            let (part, overflow) = (thousandths / 1_000).multipliedReportingOverflow(
                by: durationUnits[index].milliseconds)
            if overflow || part > Int.max / 8 { return nil }
            total += part
            unitIndex = index
            rest = after[unit.endIndex...]
        } while !rest.isEmpty
        return .milliseconds(total)
    }

    /// A decimal number at the start of `text`, times 1,000, and what follows it.
    private static func number(_ text: Substring, decimalsMax: Int) -> (Int, Substring)? {
        let whole = text.prefix { $0.isASCII && $0.isNumber }
        guard !whole.isEmpty, whole.count <= digitsMax, let value = Int(whole) else { return nil }
        let rest = text[whole.endIndex...]
        guard decimalsMax > 0, rest.first == "." else { return (value * 1_000, rest) }
        let decimals = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard !decimals.isEmpty, decimals.count <= decimalsMax else { return nil }
        let padded = String(decimals) + String(repeating: "0", count: 3 - decimals.count)
        guard let fraction = Int(padded) else { return nil }
        return (value * 1_000 + fraction, rest[decimals.endIndex...])
    }

    /// For messages: the largest unit that gives a whole number.
    static func text(bytes: Int) -> String {
        for (name, unit) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("MB", 1_000_000), ("kB", 1_000)]
        where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return "\(bytes)B"
    }

    /// For messages: `1h30m`, `250ms`.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
        var out = ""
        for (name, unit) in durationUnits where rest >= unit {
            out += "\(rest / unit)\(name)"
            rest %= unit
        }
        return out.isEmpty ? "0s" : out
    }
}
