// The COPY statement. Every option stands there, also where it is the default: what is loaded must not hang on a
// setting of the session. https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html

package struct CopyStatement: Sendable {
    package var table: TableName
    /// `s3://bucket/key`.
    package var manifestURL: String
    package var jsonPathsURL: String
    package var roleARN: String
    /// The bucket's region, when Redshift is in another one.
    package var region: String?

    private let columns: [String]

    package init(
        table: TableName, manifestURL: String, jsonPathsURL: String, roleARN: String, region: String? = nil,
        schema: RowSchema = .standard
    ) {
        self.table = table
        self.manifestURL = manifestURL
        self.jsonPathsURL = jsonPathsURL
        self.roleARN = roleARN
        self.region = region
        columns = schema.columns.map { SQLText.name($0.name) }
    }

    /// Without a semicolon, as the Data API takes it.
    package var text: String {
        let regionLine = region.map { "\nREGION \(SQLText.string($0))" } ?? ""
        return """
            COPY \(table.sql) (
            \(columnLines)
            )
            FROM \(SQLText.string(manifestURL))
            IAM_ROLE \(SQLText.string(roleARN))\(regionLine)
            FORMAT JSON \(SQLText.string(jsonPathsURL))
            GZIP
            MANIFEST
            TIMEFORMAT 'auto'
            COMPUPDATE OFF
            STATUPDATE OFF
            MAXERROR 0
            """
    }

    private var columnLines: String {
        var lines: [String] = []
        var line = "   "
        for (index, column) in columns.enumerated() {
            let word = column + (index + 1 < columns.count ? "," : "")
            if line.count + 1 + word.count > 118 {
                lines.append(line)
                line = "   "
            }
            line += " " + word
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
