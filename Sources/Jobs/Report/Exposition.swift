// Prometheus' text format, as node_exporter's textfile collector reads it.
// https://prometheus.io/docs/instrumenting/exposition_formats/ and https://prometheus.io/docs/practices/naming/
// Pure: families in, bytes out; equal values give equal bytes.

/// One metric with all its series.
package struct MetricFamily: Sendable, Equatable {
    package enum Kind: String, Sendable { case counter, gauge }

    package struct Series: Sendable, Equatable {
        package var labels: [(name: String, value: String)]
        package var value: Double

        package static func == (a: Series, b: Series) -> Bool {
            a.value == b.value && a.labels.elementsEqual(b.labels) { $0.name == $1.name && $0.value == $1.value }
        }
    }

    package let name: String
    package let kind: Kind
    package let help: String
    package private(set) var series: [Series] = []

    /// Counters end in `_total`, nothing else does.
    package init(_ name: String, _ kind: Kind, help: String) {
        precondition(Self.isName(name), "\(name) is no metric name")
        precondition((kind == .counter) == name.hasSuffix("_total"), "\(name): counters, and only they, end in _total")
        self.name = name
        self.kind = kind
        self.help = help
    }

    package mutating func add(_ value: Double, _ labels: [(name: String, value: String)]) {
        for label in labels { precondition(Self.isName(label.name), "\(label.name) is no label name") }
        series.append(Series(labels: labels, value: value))
    }

    package mutating func add(_ value: Int, _ labels: [(name: String, value: String)]) { add(Double(value), labels) }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
    }
}

package enum Exposition {
    /// A family without series is left out.
    package static func text(_ families: [MetricFamily]) -> String {
        var out = ""
        for family in families where !family.series.isEmpty {
            out += "# HELP \(family.name) \(escape(family.help, quotes: false))\n"
            out += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for series in family.series {
                let labels = series.labels.map { "\($0.name)=\"\(escape($0.value, quotes: true))\"" }
                out += family.name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}")
                out += " \(number(series.value))\n"
            }
        }
        return out
    }

    /// Go's ParseFloat reads it back to the same value.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Whole numbers without a fraction, as far as a Double holds them exactly.
        if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
