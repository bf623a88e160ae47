// Names and strings on their way into a statement. Nothing that comes from a log line ever gets here.

/// A table with its schema.
package struct TableName: Sendable, Equatable {
    package var schema: String
    package var table: String

    package init(schema: String, table: String) {
        self.schema = schema
        self.table = table
    }

    /// Where rows go when no job file says it.
    package static let standard = TableName(schema: "public", table: "drupal_log")

    /// `"public"."drupal_log"`.
    package var sql: String { "\(SQLText.name(schema)).\(SQLText.name(table))" }
}

package enum SQLText {
    /// A name in double quotes (Redshift guide, "Names and identifiers").
    package static func name(_ text: String) -> String {
        "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// A string in single quotes. Redshift reads `\` in it as an escape, so it is doubled.
    package static func string(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }

    /// Text as the lines of a comment, none longer than the width unless a single word is.
    static func comment(_ text: String, width: Int = 118) -> String {
        var lines: [String] = []
        var line = "--"
        for word in text.split(whereSeparator: \.isWhitespace) {
            if line.count + 1 + word.count > width, line != "--" {
                lines.append(line)
                line = "--"
            }
            line += " " + word
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
