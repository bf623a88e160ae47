// The files in schemas/redshift are what the program prints: `make schemas` writes them anew.

import Foundation
import Testing

@Suite struct RedshiftFilesTests {
    /// The example job with its `redshift:` group, which stands there in comments.
    static func exampleJob(in directory: TemporaryDirectory) throws -> String {
        let example = repository.appendingPathComponent("jobs/drupal-archive.yaml")
        var isGroup = false
        let lines = try String(contentsOf: example, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
                isGroup = line.hasPrefix("# redshift:") || (isGroup && line.hasPrefix("#   "))
                return isGroup ? String(line.dropFirst(2)) : String(line)
            }
        return try directory.write("job.yaml", lines.joined(separator: "\n"))
    }

    @Test(arguments: [
        ("table.sql", ["ddl"], false), ("table-super.sql", ["ddl", "--super"], false),
        ("jsonpaths.json", ["jsonpaths"], false), ("copy.sql", ["copy", "--statement-only"], true),
        ("external.sql", ["external"], true),
    ])
    func fileIsWhatTheProgramPrints(name: String, command: [String], takesJob: Bool) throws {
        let directory = try TemporaryDirectory()
        let job = takesJob ? [try Self.exampleJob(in: directory)] : []
        let result = try Program.run(["redshift"] + command + job)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let file = repository.appendingPathComponent("schemas/redshift/\(name)")
        #expect(try String(contentsOf: file, encoding: .utf8) == result.output, "\(name): run `make schemas`")
    }

    @Test func tableHasTheNameThatTheJobGives() throws {
        let directory = try TemporaryDirectory()
        let job = try Self.exampleJob(in: directory)
        let text = try String(contentsOfFile: job, encoding: .utf8)
            .replacingOccurrences(of: "table: drupal_log", with: "table: other")
        let other = try directory.write("other.yaml", text)
        for command in ["ddl", "external"] {
            let result = try Program.run(["redshift", command, other])
            #expect(result.status == 0 && result.output.contains("other"), "\(result)")
            #expect(!result.output.contains("\"drupal_log\""))
        }
    }

    @Test func olderTableGetsTheColumnsThatItLacks() throws {
        let directory = try TemporaryDirectory()
        let older = try directory.write("older.txt", "event_time\nhost\n")
        let result = try Program.run(["redshift", "migrate", "--from", older])
        #expect(result.status == 0)
        #expect(
            result.output.contains("ALTER TABLE \"public\".\"drupal_log\" ADD COLUMN \"message\" VARCHAR(65535) ENCODE")
        )
        let none = try Program.run(["redshift", "migrate", "--from", "/nowhere/table.sql"])
        #expect(none.status == 64 && none.errors.contains("/nowhere/table.sql cannot be read"), "\(none)")
    }

    @Test func jobWithoutTheGroupIsRefused() throws {
        let job = repository.appendingPathComponent("jobs/drupal-archive.yaml").path
        let result = try Program.run(["redshift", "copy", job, "--statement-only"])
        #expect(result.status == 78 && result.errors.contains("redshift: is missing"), "\(result)")
    }
}
