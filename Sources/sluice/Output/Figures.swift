// Numbers as people read them. Pure, and the same in every locale.

/// `1,204,331`.
func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var out = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
        out.append(digit)
    }
    return (number < 0 ? "-" : "") + out
}

/// A fixed number of decimals: `38.2`.
func fixed(_ number: Double, decimals: Int) -> String {
    guard number.isFinite else { return "?" }
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int((abs(number) * Double(scale)).rounded())
    let whole = grouped(scaled / scale)
    let sign = number < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + whole }
    let fraction = String(scaled % scale)
    return "\(sign)\(whole).\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
}

/// `0 B`, `812 B`, `45.2 MB`: powers of 1,000.
func bytesText(_ bytes: Int) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"]
    guard bytes >= 1_000 else { return "\(bytes) B" }
    var value = Double(bytes) / 1_000
    var unit = 0
    while value >= 999.95, unit + 1 < units.count {
        value /= 1_000
        unit += 1
    }
    return "\(fixed(value, decimals: 1)) \(units[unit])"
}

/// The two largest units: `0s`, `12s`, `4m10s`, `3h02m`, `2d04h`.
func durationText(_ duration: Duration) -> String {
    let seconds = max(0, Int(duration.seconds))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3_600: return "\(seconds / 60)m\(two(seconds % 60))s"
    case ..<86_400: return "\(seconds / 3_600)h\(two(seconds % 3_600 / 60))m"
    default: return "\(seconds / 86_400)d\(two(seconds % 86_400 / 3_600))h"
    }
}
