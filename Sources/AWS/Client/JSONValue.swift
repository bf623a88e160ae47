/// A small JSON document as a tree: for answers off the hot path. The last of several equal keys wins.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package init(_ bytes: [UInt8]) throws(JSONFault) {
        var result: Result<JSONValue, JSONFault> = .success(.null)
        bytes.withUnsafeBufferPointer { buffer in
            var scanner = JSONScanner(buffer)
            do throws(JSONFault) {
                let value = try Self.read(&scanner, depth: 0)
                try scanner.finish()
                result = .success(value)
            } catch { result = .failure(error) }
        }
        self = try result.get()
    }

    package subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// A whole number; fractions are cut.
    package var int: Int64? { if case .number(let number) = self { number.scaled(by: 0) } else { nil } }
    /// A number of seconds as whole microseconds.
    package var microseconds: Int64? { if case .number(let number) = self { number.scaled(by: 6) } else { nil } }

    private static func read(_ scanner: inout JSONScanner, depth: Int) throws(JSONFault) -> JSONValue {
        guard depth < JSONScanner.depthMax else { throw scanner.fault("less nesting") }
        switch try scanner.peek() {
        case UInt8(ascii: "{"):
            var members: [String: JSONValue] = [:]
            try scanner.object { (inner: inout JSONScanner, key) throws(JSONFault) in
                let name = inner.text(key)
                members[name] = try read(&inner, depth: depth + 1)
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try scanner.array { (inner: inout JSONScanner) throws(JSONFault) in
                elements.append(try read(&inner, depth: depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "\""):
            let range = try scanner.string()
            return .string(scanner.text(range))
        case UInt8(ascii: "t"):
            try scanner.literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try scanner.literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try scanner.literal("null")
            return .null
        default: return .number(try scanner.number())
        }
    }
}
