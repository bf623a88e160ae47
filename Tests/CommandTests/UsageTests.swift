// What every command promises: help for operators, usage errors with 64, errors in the one form, no secret printed.

import Foundation
import Testing

@Suite struct UsageTests {
    @Test(arguments: [
        [], ["archive"], ["archive", "a.yaml", "--until", "soon"], ["archive", "a.yaml", "--log-level", "loud"],
        ["backfill", "a.yaml"], ["backfill", "a.yaml", "--from", "2026-11-22", "--to", "soon"],
        ["backfill", "a.yaml", "--from", "2026-11-23", "--to", "2026-11-23"],
        ["ship", "a.yaml", "--twice"], ["ship"], ["transform", "--format", "xml"],
        ["transform", "--timezone", "Mars/Base"],
        ["transform", "--arrival", "yesterday"], ["check"], ["state", "rebuild"], ["nonsense"], ["--nonsense"],
        ["ship", "import-fluentd"], ["ship", "import-fluentd", "f.conf", "--state-directory", "relative"],
        ["policy"], ["policy", "a.yaml", "--for", "nothing"], ["policy", "a.yaml", "--account", "1"], ["init", "x"],
        ["status"], ["verify"], ["verify", "a.yaml", "--read-data=3"], ["verify", "a.yaml", "--read-data", "4/3"],
        ["redshift", "copy"], ["redshift", "copy", "a.yaml"], ["redshift", "copy", "a.yaml", "--from", "2024-01-01"],
        ["redshift", "copy", "a.yaml", "--since-last", "--statement-only"], ["redshift", "migrate"],
        ["redshift", "external"], ["redshift", "jsonpaths", "a.yaml"],
        ["verify", "a.yaml", "--from", "now"], ["verify", "a.yaml", "--from", "2024-01-02", "--to", "2024-01-01"],
    ])
    func wrongUseEndsWith64OrTheHelp(arguments: [String]) throws {
        let result = try Program.run(arguments)
        #expect(result.status == (arguments.isEmpty ? 0 : 64), "\(result)")
        #expect((result.output + result.errors).uppercased().contains("USAGE:"))
    }

    @Test(arguments: [
        ["archive"], ["backfill"], ["ship"], ["ship", "import-fluentd"], ["transform"], ["check"],
        ["state", "rebuild"], ["policy"], ["init", "archive"], ["init", "ship"],
        ["status"], ["verify"], ["redshift", "ddl"], ["redshift", "jsonpaths"], ["redshift", "copy"],
        ["redshift", "external"], ["redshift", "migrate"],
    ])
    func helpNamesExitCodesAndGivesAnExample(command: [String]) throws {
        let result = try Program.run(command + ["--help"])
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.output.contains("Exit codes: 0 "))
        #expect(result.output.contains("Example: sluice \(command.joined(separator: " "))"))
    }

    @Test func versionIsPrinted() throws {
        let result = try Program.run(["--version"])
        #expect(result.status == 0)
        #expect(result.output.wholeMatch(of: /sluice \d+\.\d+\.\d+\n/) != nil)
    }

    @Test(arguments: [
        ["archive"], ["ship", "--once"], ["transform"], ["state", "rebuild"], ["policy"], ["status"], ["verify"],
        ["redshift", "ddl"], ["redshift", "external"], ["redshift", "copy", "--since-last"],
    ])
    func missingJobFileIsReportedInTheOneForm(command: [String]) throws {
        let result = try Program.run(command + ["/nowhere/job.yaml"])
        #expect(result.status == 78 && result.output.isEmpty)
        #expect(
            result.errors == """
                sluice: read job file /nowhere/job.yaml: cannot be opened: No such file or directory
                  hint: check the path and its permissions

                """)
    }

    @Test func errorIsOneJSONObjectWhenLogsAre() throws {
        let result = try Program.run(["archive", "/nowhere/job.yaml", "--log-format", "json"])
        #expect(result.status == 78)
        #expect(result.errors.split(separator: "\n").count == 1)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.errors.utf8)) as? [String: String])
        #expect(object["level"] == "error" && object["exit_code"] == "78")
        #expect(object["operation"] == "read job file" && object["subject"] == "/nowhere/job.yaml")
        #expect(object["hint"] == "check the path and its permissions")
        #expect(object["time"]?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test func jobFileOfTheOtherKindIsRefused() throws {
        let ship = repository.appendingPathComponent("jobs/drupal-ship.yaml").path
        let archive = repository.appendingPathComponent("jobs/drupal-archive.yaml").path
        for arguments in [
            ["archive", ship], ["transform", ship], ["state", "rebuild", ship], ["status", ship], ["verify", ship],
            ["ship", "--once", archive], ["redshift", "external", ship], ["redshift", "ddl", ship],
        ] {
            let result = try Program.run(arguments)
            #expect(result.status == 78 && result.errors.contains("this command needs `job: "), "\(result)")
        }
    }

    @Test func everyProblemOfAJobFileIsPrinted() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("j.yaml", "job: archive\nname: N\nsource: {stream: s, region: x}\n")
        let result = try Program.run(["archive", path])
        #expect(result.status == 78)
        #expect(
            result.errors.split(separator: "\n").filter { $0.hasPrefix("sluice: read job file \(path):") }.count == 3)
    }
}
