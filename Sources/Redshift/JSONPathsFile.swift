// The JSONPaths file: one path for each column, in the order of the columns that COPY names.
// https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html

import Batching

package struct JSONPathsFile: Sendable {
    /// Ends with a line feed.
    package let text: String

    package init(schema: RowSchema = .standard) {
        let paths = schema.columns.map { "        \"$['\($0.name)']\"" }
        text = "{\n    \"jsonpaths\": [\n\(paths.joined(separator: ",\n"))\n    ]\n}\n"
    }

    package var bytes: [UInt8] { Array(text.utf8) }

    /// Where the file lies unless the job file says otherwise. The name tells the content, so that a program with another
    /// column never replaces the file that an older one still points to.
    package func key(controlPrefix: String) -> String {
        "\(controlPrefix)redshift/jsonpaths-\(Checksum.sha256Hex(bytes).prefix(12)).json"
    }
}
