// How Fluentd reads numbers, times, sizes and flags (docs.fluentd.org, "Config File Syntax", "Supported Data Types for
// Values").
import FoundationEssentials

extension FluentdValue {
    /// Seconds: `10s`, `1m`, `2h`, `1d`, or a number.
    var seconds: Double? {
        for (unit, factor) in [("s", 1.0), ("m", 60), ("h", 3_600), ("d", 86_400)] {
            if let number = number(before: unit) { return Double(number) * factor }
        }
        guard let text, let value = Double(text), value.isFinite, value >= 0 else { return nil }
        return value
    }

    /// Bytes: `8m`, `256k`, `1g`, or a number.
    var bytes: Int? {
        for (unit, shift) in [("k", 10), ("m", 20), ("g", 30), ("t", 40)] {
            if let number = number(before: unit) ?? number(before: unit.uppercased()) {
                return number < 1 << 20 ? number << shift : nil
            }
        }
        return integer
    }

    var integer: Int? {
        guard let text, let value = Int(text), value >= 0 else { return nil }
        return value
    }

    /// A setting without value is true.
    var flag: Bool? {
        switch text {
        case "true", "yes", "": true
        case "false", "no": false
        default: text?.hasPrefix("#") == true ? true : nil
        }
    }

    /// A JSON array of texts, or words between commas.
    var list: [String]? {
        guard let text else { return nil }
        if text.hasPrefix("[") { return try? JSONDecoder().decode([String].self, from: Data(text.utf8)) }
        return text.split(separator: ",").map { String($0).trimmingBlanks }.filter { !$0.isEmpty }
    }

    /// The first digits that stand right before `unit`, wherever that is.
    private func number(before unit: String) -> Int? {
        guard let text else { return nil }
        var digits = ""
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else {
                if String(character) == unit, let value = Int(digits) { return value }
                digits = ""
            }
        }
        return nil
    }
}
