// From the columns that an older table has to the statements that bring it up to date. Pure. Nothing is ever dropped:
// a column that the schema does not have any more stays, and COPY, which names its columns, leaves it NULL.

package import Diagnostics

package struct TableMigration: Sendable, Equatable {
    package struct OldColumn: Sendable, Equatable {
        package var name: String
        /// Nil when the list tells names only.
        package var type: String?
    }

    /// A table definition has a few kilobytes.
    package static let bytesMax = 1 << 20

    package let columns: [OldColumn]

    /// Reads a CREATE TABLE statement, or a list with a column on each line: its name, and its type if known.
    package init(olderTable text: String) throws(MigrationError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let plain = lines.map { line in line.firstRange(of: "--").map { line[..<$0.lowerBound] } ?? line }
        let body = plain.joined(separator: "\n")
        let items: [Substring]
        if let head = body.firstMatch(of: /CREATE\s+TABLE\s+[^(]*\(/.ignoresCase()) {
            items = try Self.items(of: body[head.range.upperBound...])
        } else {
            items = body.split { $0 == "\n" || $0 == "\r\n" }
        }
        var columns: [OldColumn] = []
        for item in items {
            let item = item.trimmed
            if item.isEmpty || item.prefixMatch(of: /(CONSTRAINT|PRIMARY|UNIQUE|FOREIGN|LIKE)\s/.ignoresCase()) != nil {
                continue
            }
            columns.append(try Self.column(item))
        }
        guard !columns.isEmpty else { throw MigrationError("it names no column") }
        self.columns = columns
    }

    /// The parts of a column list up to the parenthesis that closes it.
    private static func items(of text: Substring) throws(MigrationError) -> [Substring] {
        var items: [Substring] = []
        var depth = 0
        var start = text.startIndex
        for index in text.indices {
            switch text[index] {
            case "(": depth += 1
            case ",":
                guard depth == 0 else { break }
                items.append(text[start..<index])
                start = text.index(after: index)
            case ")":
                guard depth == 0 else {
                    depth -= 1
                    break
                }
                return items + [text[start..<index]]
            default: break
            }
        }
        throw MigrationError("its CREATE TABLE has no end")
    }

    private static func column(_ item: Substring) throws(MigrationError) -> OldColumn {
        let form =
            /"?([A-Za-z_][A-Za-z0-9_]*)"?(?:[\s|,]+([A-Za-z][A-Za-z0-9 ]*?(?:\s*\([0-9A-Za-z, ]+\))?(?: without time zone)?))?(?:[\s,|]+(?:ENCODE|NOT|NULL|DEFAULT|SORTKEY|DISTKEY|IDENTITY|PRIMARY|UNIQUE|REFERENCES|COLLATE|GENERATED)\b.*)?[\s,|]*/
            .ignoresCase().dotMatchesNewlines()
        guard let match = item.wholeMatch(of: form) else {
            throw MigrationError("\"\(escapeControlCharacters(String(item), limit: 60))\" is no column")
        }
        return OldColumn(name: match.1.lowercased(), type: match.2.map { String($0.trimmed) })
    }

    /// What is to be run, in order; comments name what no statement can mend. Empty when the table has all columns.
    package func statements(table: TableName, schema: RowSchema = .standard) -> [String] {
        schema.columns.flatMap { column -> [String] in
            let name = SQLText.name(column.name)
            guard let old = columns.first(where: { $0.name == column.name }) else {
                return [
                    "ALTER TABLE \(table.sql) ADD COLUMN \(name) \(column.type.sql) "
                        + "ENCODE \(TableDDL.encoding(of: column));",
                    "COMMENT ON COLUMN \(table.sql).\(name) IS \(SQLText.string(column.description));",
                ]
            }
            guard let text = old.type, let type = RowSchema.ColumnType(text) else { return [] }
            switch (type, column.type) {
            case (.varchar(let width), .varchar(let wanted)):
                guard width < wanted else { return [] }
                // A column with a dictionary cannot be widened (Redshift guide, "ALTER TABLE").
                let repack = column.isEnumeration ? ["ALTER TABLE \(table.sql) ALTER COLUMN \(name) ENCODE ZSTD;"] : []
                return repack + ["ALTER TABLE \(table.sql) ALTER COLUMN \(name) TYPE \(column.type.sql);"]
            default:
                return type == column.type
                    ? []
                    : [
                        "-- \(column.name) is \(type.sql) there and \(column.type.sql) here: make the table anew, "
                            + "and load it again"
                    ]
            }
        }
    }
}

/// A text that tells no columns.
package struct MigrationError: DiagnosticError, Equatable {
    package var cause: String

    package init(_ cause: String) { self.cause = cause }

    package var exitCode: ExitCode { .usage }
    package var isTransient: Bool { false }
    package var diagnostic: Diagnostic {
        Diagnostic(
            operation: "read", subject: "the older table", cause: cause,
            hint: "give an older table.sql, or a list with one column a line: psql -At -F ' ' -c \"SELECT column_name, "
                + "data_type FROM svv_columns WHERE table_name = 'drupal_log'\"")
    }
}

extension Substring {
    var trimmed: Substring {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start }
        return start[...last]
    }
}
