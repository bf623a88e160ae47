// `${NAME}` and `${NAME:-default}` in scalar values. It runs on values that YAML has already told apart, so what a
// variable holds can never become a key, a list or a second value.

/// What is wrong with a `${…}`.
enum ExpansionProblem: Error, Equatable {
    case unset(String)
    case malformed(String)
    /// The name says that the variable holds a secret.
    case secret(String)
}

/// Replaces every `${NAME}` by the variable's text, `${NAME:-default}` by the default when the variable is unset or
/// empty, and `$${` by `${`. The result is not expanded again.
func expandVariables(_ text: String, environment: [String: String]) throws(ExpansionProblem) -> String {
    guard text.contains("${") else { return text }
    var out = ""
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
        out += rest[..<dollar]
        rest = rest[dollar...]
        if rest.hasPrefix("$${") {
            out += "${"
            rest = rest.dropFirst(3)
        } else if rest.hasPrefix("${") {
            guard let close = rest.firstIndex(of: "}") else { throw .malformed(String(rest.prefix(32))) }
            out += try variable(rest[rest.index(rest.startIndex, offsetBy: 2)..<close], environment: environment)
            rest = rest[rest.index(after: close)...]
        } else {
            out.append("$")
            rest = rest.dropFirst()
        }
    }
    return out + rest
}

private func variable(_ inside: Substring, environment: [String: String]) throws(ExpansionProblem) -> String {
    let nameEnd = inside.firstIndex { !isNameCharacter($0) } ?? inside.endIndex
    let name = String(inside[..<nameEnd])
    let operation = inside[nameEnd...]
    guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else {
        throw .malformed("${\(inside.prefix(32))}")
    }
    if JobFileKeys.looksSecret(name) { throw .secret(name) }
    if operation.isEmpty {
        guard let value = environment[name] else { throw .unset(name) }
        return value
    }
    guard operation.hasPrefix(":-") else { throw .malformed("${\(inside.prefix(32))}") }
    if let value = environment[name], !value.isEmpty { return value }
    return String(operation.dropFirst(2))
}

private func isNameCharacter(_ character: Character) -> Bool {
    guard character.unicodeScalars.count == 1, let scalar = character.unicodeScalars.first else { return false }
    return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "_"
}
