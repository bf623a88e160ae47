// schemas/row.schema.json is the one list of columns, types and widths; rows must keep to it.

import Foundation
import Testing
import Yams

@Suite struct RowSchemaTests {
    private let schema: Node

    init() throws {
        let path = repository.appendingPathComponent("schemas/row.schema.json")
        // JSON is YAML, and YAML nodes keep the order of keys.
        schema = try #require(try compose(yaml: String(contentsOf: path, encoding: .utf8)))
    }

    private var columns: [(name: String, schema: Node)] {
        (schema["properties"]?.mapping ?? [:]).map { ($0.key.string ?? "", $0.value) }
    }

    @Test func schemaListsTheColumnsInRowOrder() {
        #expect(
            columns.map(\.name) == [
                "event_time", "event_time_source", "host", "program", "pid", "msg_id", "facility", "severity",
                "severity_name", "structured_data", "message", "site", "drupal_base_url", "drupal_type", "drupal_ip",
                "drupal_request_uri", "drupal_referer", "drupal_uid", "drupal_link", "record_format", "parse_status",
                "raw_line", "raw_base64", "truncated_fields", "source_host", "source_file", "source_offset", "shard_id",
                "sequence_number", "subsequence", "arrival_time",
            ])
        #expect(schema["additionalProperties"]?.bool == false)
    }

    /// Rows whose values reach every limit: each column of the row is in the schema, in its order, and within its width.
    @Test func rowsKeepToTheSchema() throws {
        let long = String(repeating: "ä/x", count: 30_000)
        let lines = [
            "<34>1 2024-11-22T20:31:00.123456Z \(long.prefix(250)) \(long.prefix(40)) 77 ID [a@1 b=\"\(long)\"] \(long)",
            "Nov 22 20:31:00 web1 drupal: https://www.example.org|1732307460|php|10.0.0.1|https://www.example.org/\(long)|\(long)|7|<a>|msg \(long)",
            "{\"host\":\"h\",\"ident\":\"i\",\"pid\":\"1\",\"message\":\"m\",\"time\":\"2024-11-22T20:31:00Z\"}",
            "no header \(long)", "",
        ]
        let result = try Program.run(
            ["transform", "--arrival", "2024-11-23"], input: Data(lines.joined(separator: "\n").utf8))
        let rows = result.output.split(separator: "\n")
        #expect(rows.count >= lines.count - 1)
        let order = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1.name, $0) })
        for row in rows {
            let keys = try #require(try compose(yaml: String(row))?.mapping).map { $0.key.string ?? "" }
            let places = keys.compactMap { order[$0] }
            #expect(places.count == keys.count, "a column is not in the schema: \(keys)")
            #expect(places == places.sorted(), "columns out of order: \(keys)")
            let values = try #require(try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any])
            for name in schema["required"]?.array().compactMap(\.string) ?? [] { #expect(values[name] != nil) }
            for (name, rule) in columns {
                guard let value = values[name] else { continue }
                try check(value, name: name, rule: rule)
            }
        }
    }

    private func check(_ value: Any, name: String, rule: Node) throws {
        if rule["type"]?.string == "integer" {
            #expect(value is Int, "\(name) is no integer")
            return
        }
        let text = try #require(value as? String, "\(name) is no text")
        if let most = rule["x-bytes-max"]?.int { #expect(text.utf8.count <= most, "\(name) is too wide") }
        if let words = rule["enum"]?.array().compactMap(\.string), !words.isEmpty {
            #expect(words.contains(text), "\(name) says \(text)")
        }
        if let pattern = rule["pattern"]?.string {
            #expect(try text.wholeMatch(of: Regex(pattern)) != nil, "\(name): \(text)")
        }
    }
}
