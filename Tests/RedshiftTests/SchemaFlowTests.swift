// A column that is added to the row schema shows in everything that is made from it.

import Batching
import CivilTime
import Foundation
import Jobs
import Redshift
import Testing

private let text = """
    {"required": ["event_time", "kind"], "properties": {
      "event_time": {"description": "When it was.", "x-redshift-type": "timestamp"},
      "kind": {"description": "It's a word.", "enum": ["a", "b"], "x-redshift-type": "varchar(8)", "x-bytes-max": 8},
      "size": {"description": "Bytes.", "x-redshift-type": "bigint"},
      "extra": {"description": "JSON.", "contentMediaType": "application/json", "x-redshift-type": "varchar(300)",
        "x-bytes-max": 300}
    }}
    """

@Suite struct SchemaFlowTests {
    private let schema: RowSchema
    private let table = TableName(schema: "s", table: "t")

    init() throws { schema = try RowSchema(Array(text.utf8)) }

    /// `verify` reads rows by `RowRules`, which a test compares with the schema file: so the rows, too, have the column.
    @Test func builtInSchemaHasTheColumnsThatRowsHave() {
        let columns = RowSchema.standard.columns
        #expect(columns.map(\.name) == RowRules.standard.columns.map(\.name))
        #expect(columns.map(\.isRequired) == RowRules.standard.columns.map(\.isRequired))
        for (column, rule) in zip(columns, RowRules.standard.columns) {
            switch (column.type, rule.kind) {
            case (.varchar(let width), .text(let most)), (.varchar(let width), .digits(let most)):
                #expect(width == most)
            case (.varchar(let width), .words(let words)):
                #expect(words.allSatisfy { $0.utf8.count <= width } && column.isEnumeration)
            case (.timestamp, .time), (.smallint, .integer), (.integer, .integer), (.bigint, .integer): continue
            default: Issue.record("\(column.name) is \(column.type) in the table and \(rule.kind) in the row")
            }
        }
        #expect(columns.filter(\.isJSON).map(\.name) == ["structured_data"])
    }

    @Test func tableHasEachColumnWithItsTypeAndEncoding() {
        let ddl = TableDDL(table, schema: schema).text
        #expect(
            ddl.contains(
                """
                CREATE TABLE IF NOT EXISTS "s"."t" (
                    "event_time" TIMESTAMP    ENCODE RAW NOT NULL,
                    "kind"       VARCHAR(8)   ENCODE BYTEDICT NOT NULL,
                    "size"       BIGINT       ENCODE AZ64,
                    "extra"      VARCHAR(300) ENCODE ZSTD
                )
                DISTSTYLE EVEN
                COMPOUND SORTKEY ("event_time");
                """))
        #expect(ddl.contains("COMMENT ON COLUMN \"s\".\"t\".\"kind\" IS 'It''s a word.';"))
    }

    @Test func superViewParsesWhatIsJSONAndPassesTheRestOn() {
        let view = TableDDL(table, schema: schema).superView
        #expect(view.contains("CREATE OR REPLACE VIEW \"s\".\"t_super\" AS"))
        #expect(
            view.contains(
                "    \"size\",\n    CASE WHEN CAN_JSON_PARSE(\"extra\") THEN JSON_PARSE(\"extra\") END AS \"extra\"\nFROM"
            ))
    }

    @Test func pathsStandInTheOrderOfTheColumnsThatCopyNames() throws {
        let file = JSONPathsFile(schema: schema)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(file.bytes)) as? [String: [String]])
        #expect(object == ["jsonpaths": ["$['event_time']", "$['kind']", "$['size']", "$['extra']"]])
        let copy = CopyStatement(
            table: table, manifestURL: "s3://b/m", jsonPathsURL: "s3://b/j", roleARN: "arn", schema: schema
        ).text
        #expect(copy.contains("(\n    \"event_time\", \"kind\", \"size\", \"extra\"\n)"))
        let more = try RowSchema(Array(text.replacing("\"size\": {", with: "\"size2\": {").utf8))
        #expect(JSONPathsFile(schema: more).key(controlPrefix: "c/") != file.key(controlPrefix: "c/"))
    }

    @Test func copyNamesTheRegionOnlyWhenItIsAnother() {
        let copy = CopyStatement(
            table: .standard, manifestURL: "s3://b/o'neill", jsonPathsURL: "s3://b/j", roleARN: "arn",
            region: "eu-west-1")
        #expect(copy.text.contains("IAM_ROLE 'arn'\nREGION 'eu-west-1'\nFORMAT JSON 's3://b/j'\nGZIP\nMANIFEST\n"))
        #expect(copy.text.contains("FROM 's3://b/o''neill'"))
        #expect(
            !CopyStatement(
                table: .standard, manifestURL: "m", jsonPathsURL: "j", roleARN: "r"
            ).text.contains("REGION"))
    }

    @Test(arguments: [
        "{", "[]", "{\"properties\": {}}", "{\"properties\": {\"a b\": {\"x-redshift-type\": \"int\"}}}",
        "{\"properties\": {\"a\": {\"x-redshift-type\": \"money\"}}}", "{\"properties\": {\"a\": {}}}",
        "{\"properties\": {\"a\": {\"x-redshift-type\": \"varchar(3)\", \"x-bytes-max\": 4}}}",
        "{\"properties\": {\"a\": {\"x-redshift-type\": \"varchar(65536)\", \"x-bytes-max\": 65536}}}",
        "{\"required\": [\"b\"], \"properties\": {\"a\": {\"x-redshift-type\": \"int\"}}}",
    ])
    func schemaThatGivesNoTableIsRefused(json: String) {
        #expect(throws: RowSchemaError.self) { try RowSchema(Array(json.utf8)) }
    }
}
