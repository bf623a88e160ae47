// The table that rows are loaded into. Pure: from the schema to the text of `schemas/redshift/table.sql`.

package struct TableDDL: Sendable {
    private let table: TableName
    private let schema: RowSchema

    package init(_ table: TableName = .standard, schema: RowSchema = .standard) {
        self.table = table
        self.schema = schema
    }

    /// The column that queries filter by first and that rows arrive in the order of.
    static let sortKey = "event_time"

    package var text: String {
        let names = schema.columns.map { SQLText.name($0.name) }
        let nameWidth = names.map(\.count).max() ?? 0
        let typeWidth = schema.columns.map { $0.type.sql.count }.max() ?? 0
        let lines = zip(names, schema.columns).map { name, column in
            let padded = name.padded(to: nameWidth) + " " + column.type.sql.padded(to: typeWidth)
            return "    \(padded) ENCODE \(Self.encoding(of: column))\(column.isRequired ? " NOT NULL" : "")"
        }
        return """
            -- The table of the rows that `sluice archive` writes. Made by `sluice redshift ddl` from row.schema.json.
            -- Widths are bytes. Rows are cut to them before they are stored, so that COPY needs no TRUNCATECOLUMNS.
            CREATE TABLE IF NOT EXISTS \(table.sql) (
            \(lines.joined(separator: ",\n"))
            )
            DISTSTYLE EVEN
            COMPOUND SORTKEY (\(SQLText.name(Self.sortKey)));

            \(comments)
            """
    }

    /// The table again as a view in which JSON text is SUPER, to be asked by path. COPY from JSON stores a string in a
    /// SUPER column as a string, so that such a column would have to be parsed in each query all the same
    /// (Redshift guide, "Loading semi-structured data").
    package var superView: String {
        let columns = schema.columns.map { column in
            let name = SQLText.name(column.name)
            return "    "
                + (column.isJSON ? "CASE WHEN CAN_JSON_PARSE(\(name)) THEN JSON_PARSE(\(name)) END AS \(name)" : name)
        }
        let view = TableName(schema: table.schema, table: "\(table.table)_super")
        return """
            -- The same rows with JSON text as SUPER: SELECT structured_data."exampleSDID@32473".iut FROM \(view.table);
            CREATE OR REPLACE VIEW \(view.sql) AS
            SELECT
            \(columns.joined(separator: ",\n"))
            FROM \(table.sql)
            WITH NO SCHEMA BINDING;
            """
    }

    private var comments: String {
        let about = "Log rows of Sluice. A row is told by shard_id, sequence_number and subsequence."
        let columns = schema.columns.map {
            "COMMENT ON COLUMN \(table.sql).\(SQLText.name($0.name)) IS \(SQLText.string($0.description));"
        }
        return (["COMMENT ON TABLE \(table.sql) IS \(SQLText.string(about));"] + columns).joined(separator: "\n")
    }

    /// The sort key stays raw, so that ranges are found without unpacking; numbers and times get AZ64, the few words of
    /// an enumeration a dictionary, and all other text ZSTD (Redshift guide, "Compression encodings").
    static func encoding(of column: RowSchema.Column) -> String {
        if column.name == sortKey { return "RAW" }
        return switch column.type {
        case .timestamp, .smallint, .integer, .bigint: "AZ64"
        case .varchar: column.isEnumeration ? "BYTEDICT" : "ZSTD"
        }
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
