// Checks JSON against the part of JSON Schema (draft 2020-12) that the project's schemas use; an unknown keyword fails.

import Foundation
import Testing

struct JSONSchemaCheck {
    private let root: [String: Any]

    static func load(_ name: String, from file: String = #filePath) throws -> JSONSchemaCheck {
        // The test folder may be reached through a symbolic link; the schemas lie beside the real one.
        let real = URL(fileURLWithPath: file).resolvingSymlinksInPath()
        let url = real.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("schemas/\(name)")
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        return JSONSchemaCheck(root: try #require(json as? [String: Any]))
    }

    func problems(_ bytes: [UInt8]) -> [String] {
        guard let value = try? JSONSerialization.jsonObject(with: Data(bytes)) else { return ["not JSON"] }
        return problems(value, root, at: "$")
    }

    private func problems(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
        schema.flatMap { keyword, rule -> [String] in
            holds(value, keyword, rule, schema, at: path)
        }
    }

    private func holds(_ value: Any, _ keyword: String, _ rule: Any, _ schema: [String: Any], at path: String)
        -> [String]
    {
        func check(_ isGood: Bool) -> [String] { isGood ? [] : ["\(path): \(keyword) \(rule)"] }
        let object = value as? [String: Any]
        switch keyword {
        case "$schema", "$id", "$defs", "title", "description": return []
        case "$ref":
            let name = String((rule as? String ?? "").dropFirst("#/$defs/".count))
            let definitions = root["$defs"] as? [String: Any]
            guard let target = definitions?[name] as? [String: Any] else { return ["unknown $ref \(name)"] }
            return problems(value, target, at: path)
        case "type":
            switch rule as? String {
            case "object": return check(object != nil)
            case "array": return check(value is [Any])
            case "string": return check(value is String)
            case "integer":
                return check((value as? NSNumber).map { $0.doubleValue.rounded() == $0.doubleValue } ?? false)
            default: return ["\(path): unknown type \(rule)"]
            }
        case "required":
            return (rule as? [String] ?? []).flatMap { check(object?[$0] != nil) }
        case "properties":
            let rules = rule as? [String: [String: Any]] ?? [:]
            return rules.flatMap { name, inner in
                object?[name].map { problems($0, inner, at: "\(path).\(name)") } ?? []
            }
        case "additionalProperties":
            let known = (schema["properties"] as? [String: Any] ?? [:]).keys
            let surplus = (object ?? [:]).filter { !known.contains($0.key) }
            guard let inner = rule as? [String: Any] else { return check(surplus.isEmpty) }
            return surplus.flatMap { problems($0.value, inner, at: "\(path).\($0.key)") }
        case "items":
            guard let list = value as? [Any], let inner = rule as? [String: Any] else { return [] }
            return list.enumerated().flatMap { problems($0.element, inner, at: "\(path)[\($0.offset)]") }
        case "minItems": return check((value as? [Any])?.count ?? 0 >= rule as? Int ?? 0)
        case "maxItems": return check((value as? [Any])?.count ?? 0 <= rule as? Int ?? 0)
        case "minimum": return check((value as? NSNumber)?.intValue ?? .min >= rule as? Int ?? 0)
        case "const": return check((value as? NSNumber)?.intValue == rule as? Int)
        case "enum": return check((rule as? [String] ?? []).contains { $0 == value as? String })
        case "maxLength": return check((value as? String)?.count ?? 0 <= rule as? Int ?? 0)
        case "pattern":
            let range = (value as? String ?? "").range(of: rule as? String ?? "", options: .regularExpression)
            return check(range != nil)
        default: return ["unknown keyword \(keyword)"]
        }
    }
}
