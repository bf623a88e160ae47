// The part of JSON Schema 2020-12 that schemas/job.schema.json uses, so that the tests need no other program.
// An unknown keyword fails the test: the schema must not say more than is checked here.

import Foundation
import Yams

struct JSONSchema {
    let root: [String: Any]

    struct UnknownKeyword: Error { var keyword: String }

    init(path: URL) throws {
        root = try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any] ?? [:]
    }

    /// Key paths at which `value` does not fit; empty when it does.
    func failures(_ value: Node) throws -> [String] { try failures(value, root, at: "") }

    func resolve(_ schema: [String: Any]) -> [String: Any] {
        guard let reference = schema["$ref"] as? String else { return schema }
        var found: Any? = root
        for part in reference.dropFirst(2).split(separator: "/") { found = (found as? [String: Any])?[String(part)] }
        return (found as? [String: Any]) ?? [:]
    }

    private func failures(_ value: Node, _ schema: [String: Any], at path: String) throws -> [String] {
        var out: [String] = []
        for (keyword, rule) in schema {
            switch keyword {
            case "$schema", "$defs", "title", "description", "default", "then", "else": continue
            case "$ref": out += try failures(value, resolve(schema), at: path)
            case "anyOf":
                let all = try (rule as? [[String: Any]] ?? []).map { try failures(value, $0, at: path) }
                if !all.contains(where: \.isEmpty) { out.append(path) }
            case "if":
                let branch = try failures(value, rule as? [String: Any] ?? [:], at: path).isEmpty ? "then" : "else"
                out += try failures(value, schema[branch] as? [String: Any] ?? [:], at: path)
            case "properties", "additionalProperties", "required", "propertyNames", "maxProperties":
                out += try mappingFailures(value, keyword, rule, schema, at: path)
            case "items", "minItems", "maxItems": out += try listFailures(value, keyword, rule, at: path)
            default: if try !holds(value, keyword, rule) { out.append(path) }
            }
        }
        return out
    }

    private func mappingFailures(
        _ value: Node, _ keyword: String, _ rule: Any, _ schema: [String: Any], at path: String
    ) throws -> [String] {
        guard let mapping = value.mapping else { return [] }
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        func join(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        switch keyword {
        case "properties":
            return try mapping.flatMap { key, child in
                try properties[key.string ?? ""].map { try failures(child, $0, at: join(key.string ?? "")) } ?? []
            }
        case "additionalProperties":
            return try mapping.flatMap { key, child -> [String] in
                let name = key.string ?? ""
                if properties[name] != nil { return [] }
                if let rule = rule as? [String: Any] { return try failures(child, rule, at: join(name)) }
                return [join(name)]
            }
        case "required":
            return (rule as? [String] ?? []).filter { mapping[$0] == nil }.map(join)
        case "propertyNames":
            return try mapping.flatMap { key, _ in
                try failures(key, rule as? [String: Any] ?? [:], at: join(key.string ?? ""))
            }
        default: return mapping.count > (rule as? Int ?? 0) ? [path] : []
        }
    }

    private func listFailures(_ value: Node, _ keyword: String, _ rule: Any, at path: String) throws -> [String] {
        guard let list = value.sequence else { return [] }
        switch keyword {
        case "minItems": return list.count < (rule as? Int ?? 0) ? [path] : []
        case "maxItems": return list.count > (rule as? Int ?? 0) ? [path] : []
        default:
            return try list.enumerated().flatMap {
                try failures($1, rule as? [String: Any] ?? [:], at: "\(path)[\($0)]")
            }
        }
    }

    private func holds(_ value: Node, _ keyword: String, _ rule: Any) throws -> Bool {
        let type = typeName(value)
        let text = type == "string" ? value.scalar?.string : nil
        switch keyword {
        case "type":
            let types = rule as? [String] ?? [rule as? String ?? ""]
            return types.contains(type) || (type == "integer" && types.contains("number"))
        case "const": return text == rule as? String
        case "enum": return text.map { (rule as? [String] ?? []).contains($0) } ?? false
        case "pattern":
            return try text.map { try $0.firstMatch(of: Regex(rule as? String ?? "")) != nil } ?? true
        case "minLength": return text.map { $0.unicodeScalars.count >= (rule as? Int ?? 0) } ?? true
        case "maxLength": return text.map { $0.unicodeScalars.count <= (rule as? Int ?? 0) } ?? true
        case "minimum": return value.int.map { $0 >= (rule as? Int ?? 0) } ?? true
        case "maximum": return value.int.map { $0 <= (rule as? Int ?? 0) } ?? true
        default: throw UnknownKeyword(keyword: keyword)
        }
    }

    private func typeName(_ value: Node) -> String {
        if value.mapping != nil { return "object" }
        if value.sequence != nil { return "array" }
        switch value.tag.rawValue {
        case "tag:yaml.org,2002:null": return "null"
        case "tag:yaml.org,2002:bool": return "boolean"
        case "tag:yaml.org,2002:int": return "integer"
        case "tag:yaml.org,2002:float": return "number"
        default: return "string"
        }
    }
}
