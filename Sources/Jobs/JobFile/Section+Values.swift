// Typed access to the keys of a section. Every reader gives a usable value even after a report, so that the rest of
// the file is still checked; the loader refuses the file at the end when anything was reported.

import Yams

extension Section {
    /// The scalar at `name`; nil when the key is absent or its value was reported.
    func scalar(_ name: String) -> ScalarValue? {
        guard let node = node(name) else { return nil }
        return reader.scalar(node, key: key(name))
    }

    /// The scalar at `name`, whose absence is reported with `example`.
    func requiredScalar(_ name: String, example: String) -> ScalarValue? {
        if !has(name) { reportMissing(name, example: example) }
        return scalar(name)
    }

    func reportMissing(_ name: String, example: String) {
        guard !isBroken, !isMisspelt(name) else { return }
        reader.add(place, key: key(name), "is missing", remedy: "add `\(example)`")
    }

    /// The scalar at `name` when `accepts` says yes; otherwise reports that it is no `what`.
    func checked(
        _ value: ScalarValue?, isNot what: String, remedy: String, accepts: (String) -> Bool
    ) -> String? {
        guard let value else { return nil }
        if accepts(value.text) { return value.text }
        reader.add(value, "\(value.quoted) is not \(what)", remedy: remedy)
        return nil
    }

    /// One of the raw values of `T`.
    func choice<T: RawRepresentable & CaseIterable>(_ name: String, default fallback: T) -> T
    where T.RawValue == String {
        guard let value = scalar(name) else { return fallback }
        return choice(value, default: fallback)
    }

    func choice<T: RawRepresentable & CaseIterable>(_ value: ScalarValue, default fallback: T) -> T
    where T.RawValue == String {
        if let found = T(rawValue: value.text) { return found }
        reportChoice(value, accepted: T.allCases.map(\.rawValue))
        return fallback
    }

    func choice(_ name: String, accepted: [String]) -> String? {
        guard let value = scalar(name) else { return nil }
        if accepted.contains(value.text) { return value.text }
        reportChoice(value, accepted: accepted)
        return nil
    }

    private func reportChoice(_ value: ScalarValue, accepted: [String]) {
        let near = nearestName(to: value.text, among: accepted).map { "did you mean `\($0)`? " } ?? ""
        reader.add(
            value, "\(value.quoted) is not accepted", remedy: "\(near)accepted: \(accepted.joined(separator: ", "))")
    }

    func flag(_ name: String) -> Bool? {
        guard let text = choice(name, accepted: ["true", "false"]) else { return nil }
        return text == "true"
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        guard let value = scalar(name) else { return fallback }
        let remedy = "give a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = Int(value.text) else {
            reader.add(value, "\(value.quoted) is not a whole number", remedy: remedy)
            return fallback
        }
        guard range.contains(number) else {
            reader.add(value, "\(number) is out of range", remedy: remedy)
            return fallback
        }
        return number
    }

    func size(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        guard let value = scalar(name) else { return fallback }
        return size(value, in: range, otherwise: nil) ?? fallback
    }

    /// - Parameter otherwise: a word that is accepted besides a size, for the remedy.
    func size(_ value: ScalarValue, in range: ClosedRange<Int>, otherwise: String?) -> Int? {
        let words = otherwise.map { ", or \($0)" } ?? ""
        guard let bytes = Quantities.size(value.text) else {
            let what = Int(value.text) == nil ? "is not a size" : "has no unit"
            reader.add(value, "\(value.quoted) \(what)", remedy: "give \(Quantities.sizeHelp)\(words)")
            return nil
        }
        guard range.contains(bytes) else {
            let (low, high) = (Quantities.text(bytes: range.lowerBound), Quantities.text(bytes: range.upperBound))
            reader.add(value, "\(value.quoted) is out of range", remedy: "give a size from \(low) to \(high)\(words)")
            return nil
        }
        return bytes
    }

    func duration(_ name: String, in range: ClosedRange<Duration>, default fallback: Duration) -> Duration {
        guard let value = scalar(name) else { return fallback }
        guard let duration = Quantities.duration(value.text) else {
            let what = Int(value.text) == nil ? "is not a duration" : "has no unit"
            reader.add(value, "\(value.quoted) \(what)", remedy: "give \(Quantities.durationHelp)")
            return fallback
        }
        guard range.contains(duration) else {
            let (low, high) = (Quantities.text(range.lowerBound), Quantities.text(range.upperBound))
            reader.add(value, "\(value.quoted) is out of range", remedy: "give a duration from \(low) to \(high)")
            return fallback
        }
        return duration
    }

    /// A list of scalars, at least one; a single scalar counts as a list of one.
    func list(_ name: String, example: String, countMax: Int) -> [ScalarValue] {
        guard let node = node(name) else {
            reportMissing(name, example: example)
            return []
        }
        guard case .sequence(let sequence) = node else {
            return reader.scalar(node, key: key(name)).map { [$0] } ?? []
        }
        if sequence.isEmpty || sequence.count > countMax {
            let message = sequence.isEmpty ? "is empty" : "has more than \(countMax) entries"
            reader.add(Place(node), key: key(name), message, remedy: "write it like `\(example)`")
            return []
        }
        return sequence.enumerated().compactMap { reader.scalar($1, key: "\(key(name))[\($0)]") }
    }

    /// A group whose keys are the operator's own words. Keys are taken as they stand, without variables.
    func textMap(_ name: String, example: String, countMax: Int) -> [(key: ScalarValue, value: ScalarValue)] {
        guard let node = node(name) else { return [] }
        guard case .mapping(let mapping) = node else {
            reader.add(
                Place(node), key: key(name), "a group of `name: value` is expected here, not a \(describe(node))",
                remedy: "write it like `\(example)`")
            return []
        }
        if mapping.count > countMax {
            reader.add(Place(node), key: key(name), "has more than \(countMax) entries")
            return []
        }
        var seen: Set<String> = []
        return mapping.compactMap { keyNode, valueNode in
            guard case .scalar(let scalar) = keyNode, !reader.isSettled(Place(keyNode)) else { return nil }
            let full = "\(key(name)).\(scalar.string)"
            guard seen.insert(scalar.string).inserted else {
                reader.add(Place(keyNode), key: full, "is given twice", remedy: "keep one of the two")
                return nil
            }
            guard let value = reader.scalar(valueNode, key: full) else { return nil }
            let keyValue = ScalarValue(
                text: scalar.string, written: scalar.string, key: full, place: Place(keyNode))
            return (keyValue, value)
        }
    }
}
