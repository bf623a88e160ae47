// Collects what is wrong with one job file while it is read. One reader serves one load and stays on one task.

import Diagnostics
import Yams

/// A position in the file, counting from 1.
struct Place: Hashable {
    var line: Int
    var column: Int

    static let start = Place(line: 1, column: 1)

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    init(_ node: Node) {
        self.init(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }
}

/// One expanded scalar with its place.
struct ScalarValue {
    var text: String
    /// As it stands in the file.
    var written: String
    var key: String
    var place: Place

    /// For messages: in quotes, cut, and with the variables it came from.
    var quoted: String {
        let shown = "\"\(escapeControlCharacters(text, limit: 80))\""
        return text == written ? shown : "\(shown) (from \(escapeControlCharacters(written, limit: 80)))"
    }
}

final class JobFileReader {
    /// More would help nobody; the rest shows after the first are mended.
    static let problemsMax = 100

    let environment: [String: String]
    private(set) var problems: [JobFileProblem] = []
    /// Keys that have been reported already and need no second word.
    private var settled: Set<Place> = []

    init(environment: [String: String]) { self.environment = environment }

    func add(_ place: Place, key: String, _ message: String, remedy: String? = nil) {
        guard problems.count < Self.problemsMax else { return }
        problems.append(
            JobFileProblem(line: place.line, column: place.column, key: key, message: message, remedy: remedy))
    }

    func add(_ value: ScalarValue, _ message: String, remedy: String? = nil) {
        add(value.place, key: value.key, message, remedy: remedy)
    }

    func settle(_ place: Place) { settled.insert(place) }
    func isSettled(_ place: Place) -> Bool { settled.contains(place) }

    /// The text of a scalar node with its variables put in; nil after a report.
    func scalar(_ node: Node, key: String) -> ScalarValue? {
        let place = Place(node)
        if !node.tag.rawValue.hasPrefix("tag:yaml.org,2002:") {
            add(
                place, key: key, "begins with `!`, which YAML takes for a tag", remedy: "put the value in double quotes"
            )
            return nil
        }
        guard case .scalar(let scalar) = node else {
            add(
                place, key: key, "a single value is expected here, not a \(describe(node))",
                remedy: "write it on the line of the key")
            return nil
        }
        if node.tag == Tag(.null) || scalar.string.isEmpty {
            add(place, key: key, "has no value", remedy: "give a value, or take the key out to get its default")
            return nil
        }
        guard let text = expand(scalar.string, key: key, place: place) else { return nil }
        let value = ScalarValue(text: text, written: scalar.string, key: key, place: place)
        if text.isEmpty {
            add(value, "is empty after \(scalar.string) is replaced", remedy: "set the variable to a value")
            return nil
        }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            add(value, "holds a control character such as a line break", remedy: "give one line of plain text")
            return nil
        }
        if looksLikeAccessKey(text) {
            add(value, "holds what looks like an AWS access key", remedy: Self.credentialsRemedy)
            return nil
        }
        return value
    }

    private func expand(_ text: String, key: String, place: Place) -> String? {
        do throws(ExpansionProblem) {
            return try expandVariables(text, environment: environment)
        } catch {
            switch error {
            case .unset(let name):
                add(
                    place, key: key, "the environment variable \(name) is not set",
                    remedy: "set \(name), or give a default: ${\(name):-value}")
            case .secret(let name):
                add(place, key: key, "\(name) is the name of a secret", remedy: Self.credentialsRemedy)
            case .malformed(let part):
                add(
                    place, key: key, "\"\(escapeControlCharacters(part))\" is not a variable",
                    remedy: "write ${NAME} or ${NAME:-default}; $${ gives a literal ${")
            }
        }
        return nil
    }

    static let credentialsRemedy =
        "credentials never go into a job file: use the AWS environment variables, a profile or a role"
}

func describe(_ node: Node) -> String {
    switch node {
    case .scalar: "single value"
    case .mapping: "group of keys"
    case .sequence: "list"
    case .alias: "alias"
    }
}

/// AKIA… and ASIA… with 16 more characters: the identifiers of long-lived and temporary keys (AWS IAM identifiers).
func looksLikeAccessKey(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20 else { return false }
    for start in 0...(bytes.count - 20) {
        let head = bytes[start..<start + 4]
        guard head.elementsEqual("AKIA".utf8) || head.elementsEqual("ASIA".utf8) else { continue }
        let tail = bytes[start + 4..<start + 20]
        if tail.allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }) { return true }
    }
    return false
}
