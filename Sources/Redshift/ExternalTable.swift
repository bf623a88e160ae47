// The objects as an external table, without loading them: for Athena with partition projection, for Redshift Spectrum
// with partitions that are added. Its partitions are the placeholders of the job's prefix. Pure.
// https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html

package import Batching

package struct ExternalTable: Sendable {
    private let name: String
    private let bucket: String
    /// The prefix up to its last slash: what comes after it begins the objects' names.
    private let parts: [PrefixTemplate.Part]
    private let stream: String
    private let schema: RowSchema

    package init(
        name: String, bucket: String, prefix: PrefixTemplate, stream: String, schema: RowSchema = .standard
    ) {
        self.name = name
        self.bucket = bucket
        parts = Self.folders(of: prefix)
        self.stream = stream
        self.schema = schema
    }

    /// One partition column.
    private struct Partition {
        var name: String
        var type: String
        /// Settings of its projection.
        var projection: [(String, String)]
    }

    package var text: String {
        let partitions = fields.map(partition)
        let names = schema.columns.map { "`\($0.name)`" }
        let width = names.map(\.count).max() ?? 0
        let columns = zip(names, schema.columns).map { "    \($0.padded(to: width)) \(Self.type(of: $1))" }
        let partitioned =
            partitions.isEmpty
            ? "" : "\nPARTITIONED BY (" + partitions.map { "`\($0.name)` \($0.type)" }.joined(separator: ", ") + ")"
        return """
            \(SQLText.comment(introduction(partitions)))
            CREATE EXTERNAL TABLE IF NOT EXISTS `\(name)` (
            \(columns.joined(separator: ",\n"))
            )\(partitioned)
            ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
            LOCATION 's3://\(bucket)/\(folder)'
            TBLPROPERTIES (
            \(properties(partitions).map { "    '\($0.0)' = '\($0.1)'" }.joined(separator: ",\n"))
            );
            """
    }

    private func introduction(_ partitions: [Partition]) -> String {
        var text =
            "The archived rows where they lie, for Amazon Athena. Made by `sluice redshift external` from "
            + "row.schema.json and the job's prefix. Times are ISO 8601 text: "
            + "from_iso8601_timestamp(event_time) makes a timestamp of one. "
        if !partitions.isEmpty {
            text +=
                "Redshift Spectrum reads the same table from the Glue catalog, but knows no projection: give it its "
                + "partitions there, such as ALTER TABLE spectrum.\(name) ADD IF NOT EXISTS PARTITION (\(example(partitions))) "
                + "LOCATION 's3://\(bucket)/\(exampleLocation)'. "
        }
        if fields.contains(where: \.isFromRow) {
            text +=
                "Rows of batches with more than seal.partitions partitions lie under __other__ and are not in this table. "
        }
        text +=
            "Objects without a manifest are read as well: readers that need each record once load through manifests."
        return text
    }

    private static func folders(of prefix: PrefixTemplate) -> [PrefixTemplate.Part] {
        var parts = prefix.parts
        while let last = parts.popLast() {
            guard case .literal(let text) = last, let slash = text.lastIndex(of: "/") else { continue }
            return parts + [.literal(String(text[...slash]))]
        }
        return []
    }

    /// What the locations of all partitions begin with, to its last slash.
    private var folder: String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .field(.stream): text += PartitionValue.encode(text: stream)
            case .field:
                return text.lastIndex(of: "/").map { String(text[...$0]) } ?? ""
            }
        }
        return text
    }

    /// Each once, in order; the stream is the same for all of the job's objects.
    private var fields: [PrefixTemplate.Field] {
        var fields: [PrefixTemplate.Field] = []
        for case .field(let field) in parts where field != .stream && !fields.contains(field) { fields.append(field) }
        return fields
    }

    /// `dt={date}` names its column `dt`; a name that the row has already, or none, is replaced.
    private func columnName(of field: PrefixTemplate.Field) -> String {
        var before: Substring = ""
        for part in parts {
            switch part {
            case .literal(let text): before = text[...]
            case .field(let found) where found == field:
                let name = before.split(separator: "/", omittingEmptySubsequences: false).last?
                    .wholeMatch(of: /([a-z_][a-z0-9_]*)=/)?.1
                let plain = name.map(String.init) ?? (field == .date ? "dt" : field.rawValue)
                return schema.columns.contains { $0.name == plain } ? "\(plain)_partition" : plain
            case .field: before = ""
            }
        }
        return field.rawValue
    }

    private func partition(_ field: PrefixTemplate.Field) -> Partition {
        let name = columnName(of: field)
        func whole(_ range: String, digits: Int) -> Partition {
            Partition(
                name: name, type: "int",
                projection: [("type", "integer"), ("range", range), ("digits", String(digits))])
        }
        switch field {
        case .date:
            return Partition(
                name: name, type: "string",
                projection: [
                    ("type", "date"), ("format", "yyyy-MM-dd"), ("range", "NOW-3YEARS,NOW+1DAYS"), ("interval", "1"),
                    ("interval.unit", "DAYS"),
                ])
        case .year: return whole("2000,2099", digits: 4)
        case .month: return whole("1,12", digits: 2)
        case .day: return whole("1,31", digits: 2)
        case .hour: return whole("0,23", digits: 2)
        case .severity:
            let values = (0...7).map { String($0) } + [PartitionValue.none]
            return Partition(
                name: name, type: "string", projection: [("type", "enum"), ("values", values.joined(separator: ","))])
        // Whatever sites and hosts there are: a query has to name the ones that it wants.
        case .stream, .site, .host, .program:
            return Partition(name: name, type: "string", projection: [("type", "injected")])
        }
    }

    private func properties(_ partitions: [Partition]) -> [(String, String)] {
        guard !partitions.isEmpty else { return [("classification", "json")] }
        let projections = partitions.flatMap { partition in
            partition.projection.map { ("projection.\(partition.name).\($0.0)", $0.1) }
        }
        return [("classification", "json"), ("projection.enabled", "true")] + projections
            + [("storage.location.template", "s3://\(bucket)/\(location { "${\(columnName(of: $0))}" })")]
    }

    /// The folder of a partition, with something in the place of the placeholders.
    private func location(_ value: (PrefixTemplate.Field) -> String) -> String {
        parts.map { part in
            switch part {
            case .literal(let text): text
            case .field(.stream): PartitionValue.encode(text: stream)
            case .field(let field): value(field)
            }
        }.joined()
    }

    private func exampleValue(_ field: PrefixTemplate.Field) -> String {
        switch field {
        case .date: "2026-11-22"
        case .year: "2026"
        case .month: "11"
        case .day: "22"
        case .hour: "07"
        case .severity: "3"
        case .stream, .site, .host, .program: "example"
        }
    }

    private var exampleLocation: String { location(exampleValue) }

    private func example(_ partitions: [Partition]) -> String {
        zip(fields, partitions).map { field, partition in
            let value = exampleValue(field)
            return
                "\(partition.name) = \(Int(value).map { partition.type == "int" ? String($0) : "'\(value)'" } ?? "'\(value)'")"
        }.joined(separator: ", ")
    }

    private static func type(of column: RowSchema.Column) -> String {
        switch column.type {
        case .timestamp, .varchar: "string"
        case .smallint: "smallint"
        case .integer: "int"
        case .bigint: "bigint"
        }
    }
}
