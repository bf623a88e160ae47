// The columns of the row, read from schemas/row.schema.json, which is compiled in: table, JSONPaths, COPY and external
// table are made from it and from nothing else. The order of the columns is that of the file.

package import Diagnostics
import Yams

package struct RowSchema: Sendable, Equatable {
    package enum ColumnType: Sendable, Equatable {
        case timestamp, smallint, integer, bigint
        /// Most bytes of UTF-8: Redshift counts bytes.
        case varchar(Int)
    }

    package struct Column: Sendable, Equatable {
        package var name: String
        package var type: ColumnType
        /// True when no row is without it.
        package var isRequired: Bool
        /// True when there are a few words that it can hold, and no others.
        package var isEnumeration: Bool
        /// True when its text is JSON.
        package var isJSON: Bool
        package var description: String
    }

    package let columns: [Column]

    /// Redshift takes up to 1,600 columns a table (Redshift guide, "Quotas and limits").
    package static let columnsMax = 1_600

    /// The schema that this program was built with.
    package static let standard: RowSchema = {
        guard let schema = try? RowSchema(PackageResources.row_schema_json) else {
            preconditionFailure("the row schema in the program is the one that the tests have read")
        }
        return schema
    }()

    /// Reads a row schema.
    package init(_ json: [UInt8]) throws(RowSchemaError) {
        // JSON is YAML, and this reader keeps the order of keys.
        guard let root = try? compose(yaml: String(decoding: json, as: UTF8.self)),
            let properties = root["properties"]?.mapping, (1...Self.columnsMax).contains(properties.count)
        else { throw RowSchemaError("it is no JSON object with properties") }
        let required = Set((root["required"]?.array() ?? []).compactMap(\.string))
        var columns: [Column] = []
        for (key, rule) in properties { columns.append(try Self.column(key.string ?? "", rule, required)) }
        for name in required where !columns.contains(where: { $0.name == name }) {
            throw RowSchemaError("\(name) is required and no property")
        }
        self.columns = columns
    }

    private static func column(
        _ name: String, _ rule: Node, _ required: Set<String>
    ) throws(RowSchemaError) -> Column {
        guard name.wholeMatch(of: /[a-z_][a-z0-9_]*/) != nil else {
            throw RowSchemaError("\"\(name)\" is no name for a column")
        }
        guard let text = rule["x-redshift-type"]?.string, let type = ColumnType(text) else {
            throw RowSchemaError("\(name) has no x-redshift-type that this program knows")
        }
        if case .varchar(let width) = type, rule["x-bytes-max"]?.int != width {
            throw RowSchemaError("x-bytes-max of \(name) is not the width of its type")
        }
        return Column(
            name: name, type: type, isRequired: required.contains(name), isEnumeration: rule["enum"] != nil,
            isJSON: rule["contentMediaType"]?.string == "application/json",
            description: rule["description"]?.string ?? "")
    }
}

extension RowSchema.ColumnType {
    /// Widest VARCHAR, in bytes (Redshift guide, "Character types").
    package static let varcharBytesMax = 65_535

    /// `varchar(255)`, and the other names that Redshift and PostgreSQL have for these types; nil for any other type.
    package init?(_ text: String) {
        let plain = text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        switch plain {
        case "timestamp", "timestamp without time zone": self = .timestamp
        case "smallint", "int2": self = .smallint
        case "int", "integer", "int4": self = .integer
        case "bigint", "int8": self = .bigint
        default:
            guard let match = plain.wholeMatch(of: /(?:varchar|character varying|nvarchar) ?\(([0-9]{1,5}|max)\)/),
                let width = match.1 == "max" ? Self.varcharBytesMax : Int(match.1),
                (1...Self.varcharBytesMax).contains(width)
            else { return nil }
            self = .varchar(width)
        }
    }

    /// As SQL has it.
    package var sql: String {
        switch self {
        case .timestamp: "TIMESTAMP"
        case .smallint: "SMALLINT"
        case .integer: "INTEGER"
        case .bigint: "BIGINT"
        case .varchar(let width): "VARCHAR(\(width))"
        }
    }
}

/// A row schema that no table can be made of.
package struct RowSchemaError: DiagnosticError, Equatable {
    package var cause: String

    init(_ cause: String) { self.cause = cause }

    package var exitCode: ExitCode { .internalFault }
    package var isTransient: Bool { false }
    package var diagnostic: Diagnostic {
        Diagnostic(operation: "read", subject: "row schema", cause: cause, hint: "mend schemas/row.schema.json")
    }
}
