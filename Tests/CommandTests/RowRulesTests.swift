// The rules that `verify` reads rows by are those of schemas/row.schema.json.

import Foundation
import Jobs
import Testing
import Yams

@Suite struct RowRulesTests {
    @Test func rulesAreTheSchemasColumnByColumn() throws {
        let path = repository.appendingPathComponent("schemas/row.schema.json")
        let schema = try #require(try compose(yaml: String(contentsOf: path, encoding: .utf8)))
        let required = Set(schema["required"]?.array().compactMap(\.string) ?? [])
        let columns = (schema["properties"]?.mapping ?? [:]).map { ($0.key.string ?? "", $0.value) }
        #expect(columns.map(\.0) == RowRules.standard.columns.map(\.name))
        for ((name, rule), column) in zip(columns, RowRules.standard.columns) {
            #expect(column.isRequired == required.contains(name), "\(name)")
            let words = rule["enum"]?.array().compactMap(\.string) ?? []
            switch column.kind {
            case .words(let known): #expect(known == words, "\(name)")
            case .text(let most):
                #expect(rule["x-bytes-max"]?.int == most && words.isEmpty && rule["pattern"] == nil, "\(name)")
            case .digits(let most):
                #expect(rule["x-bytes-max"]?.int == most && rule["pattern"]?.string == "^[0-9]+$", "\(name)")
            case .time: #expect(rule["format"]?.string == "date-time", "\(name)")
            case .integer(let range):
                #expect(rule["type"]?.string == "integer", "\(name)")
                #expect(rule["minimum"]?.int.map(Int64.init) ?? .min == range.lowerBound, "\(name)")
                // Without a maximum in the schema the column's type in Redshift sets it.
                let most: Int64 = rule["x-redshift-type"]?.string == "int" ? Int64(Int32.max) : .max
                #expect(rule["maximum"]?.int.map(Int64.init) ?? most == range.upperBound, "\(name)")
            }
            if case .integer = column.kind { continue }
            #expect(rule["type"]?.string == "string", "\(name)")
        }
    }
}
