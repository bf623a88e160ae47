// What an older table lacks, from its CREATE TABLE or from a list of its columns.

import Redshift
import Testing

@Suite struct TableMigrationTests {
    private let table = TableName(schema: "web", table: "lines")

    private func statements(_ older: String) throws -> [String] {
        try TableMigration(olderTable: older).statements(table: table)
    }

    private func without(_ name: String) -> String {
        TableDDL().text.split(separator: "\n").filter { !$0.contains("\"\(name)\"") }.joined(separator: "\n")
    }

    @Test func tableOfThisProgramLacksNothing() throws {
        #expect(try statements(TableDDL().text) == [])
        #expect(try statements(TableDDL().text + "\n\n" + TableDDL().superView) == [])
    }

    @Test func missingColumnIsAddedWithTypeEncodingAndComment() throws {
        #expect(
            try statements(without("drupal_uid")) == [
                "ALTER TABLE \"web\".\"lines\" ADD COLUMN \"drupal_uid\" BIGINT ENCODE AZ64;",
                "COMMENT ON COLUMN \"web\".\"lines\".\"drupal_uid\" IS 'Drupal''s !uid.';",
            ])
    }

    /// A column that is NOT NULL cannot be added to a table that has rows.
    @Test func missingColumnThatEachRowHasIsAddedWithoutNotNull() throws {
        let found = try statements(without("parse_status"))
        #expect(found.first == "ALTER TABLE \"web\".\"lines\" ADD COLUMN \"parse_status\" VARCHAR(16) ENCODE BYTEDICT;")
    }

    @Test func columnThatBecameWiderIsWidened() throws {
        let older = TableDDL().text.replacing("VARCHAR(1024)", with: "VARCHAR(256)")
        #expect(
            try statements(older) == ["ALTER TABLE \"web\".\"lines\" ALTER COLUMN \"drupal_link\" TYPE VARCHAR(1024);"])
        #expect(try statements(TableDDL().text.replacing("VARCHAR(1024)", with: "VARCHAR(MAX)")) == [])
    }

    @Test func columnOfAnotherKindIsNamedInAComment() throws {
        let older = TableDDL().text.replacing(/"pid" +VARCHAR\(128\)/, with: "\"pid\" BIGINT")
        let found = try statements(older)
        #expect(found == ["-- pid is BIGINT there and VARCHAR(128) here: make the table anew, and load it again"])
    }

    /// A dictionary cannot be widened.
    @Test func enumerationThatBecameWiderIsPackedAnewFirst() throws {
        #expect(
            try statements(
                TableDDL().text.replacing(/"record_format" +VARCHAR\(16\)/, with: "\"record_format\" VARCHAR(8)"))
                == [
                    "ALTER TABLE \"web\".\"lines\" ALTER COLUMN \"record_format\" ENCODE ZSTD;",
                    "ALTER TABLE \"web\".\"lines\" ALTER COLUMN \"record_format\" TYPE VARCHAR(16);",
                ])
    }

    @Test(arguments: [
        "event_time timestamp without time zone\nhost character varying(255)\nmine integer\n",
        "event_time\nhost\n\n", "  event_time|timestamp without time zone\n host|character varying(255)",
        "event_time,timestamp\nhost,varchar(255)\n",
        "create table x (event_time timestamp not null sortkey, host varchar(255) encode zstd, primary key (host))",
    ])
    func listOfColumnsIsReadInTheFormsThatToolsPrint(list: String) throws {
        let found = try statements(list)
        #expect(!found.contains { $0.contains("\"host\"") || $0.contains("\"event_time\"") })
        #expect(found.count == 2 * (RowSchema.standard.columns.count - 2))
    }

    @Test(arguments: ["", "\n", "a; DROP TABLE x", "CREATE TABLE x (a int", "(31 rows)", "1a"])
    func textThatTellsNoColumnsIsRefused(text: String) {
        #expect(throws: MigrationError.self) { try statements(text) }
    }
}
