import Foundation
import Testing

@Suite struct CheckCommandTests {
    private let samples = ["drupal-archive", "drupal-ship"].map {
        repository.appendingPathComponent("jobs/\($0).yaml").path
    }

    @Test func goodFilesAreNamedAndTheStatusIsZero() throws {
        let result = try Program.run(["check"] + samples)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(
            result.output == "\(samples[0]): good: archive job drupal\n\(samples[1]): good: ship job drupal-web\n")
    }

    @Test func wrongFileIsPrintedWithPlaceKeyAndHint() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("bad.yaml", "job: ship\nname: x\nfile: /a\nlinger: 5")
        let result = try Program.run(["check", samples[0], path])
        #expect(result.status == 78)
        #expect(
            result.output == """
                \(samples[0]): good: archive job drupal
                \(path):1:1: destination: is missing
                  hint: add `destination: {stream: my_kinesis_stream}`
                \(path):3:1: file: unknown key
                  hint: did you mean `files`?
                \(path):4:9: linger: "5" has no unit
                  hint: give numbers with units (d, h, m, s, ms), such as 10m or 1h30m

                """)
    }

    @Test func jsonHoldsEveryFileAndProblem() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "bad.yaml", "job: ship\nname: x\nfiles: a\ndestination: {stream: s, region: eu-west-1}")
        let result = try Program.run(["check", "--json", samples[0], path, directory.url.path + "/absent"])
        #expect(result.status == 78)
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [[String: Any]]]
        let files = try #require(object?["files"])
        #expect(files.map { $0["valid"] as? Bool } == [true, false, false])
        #expect(files[0]["kind"] as? String == "archive" && files[0]["name"] as? String == "drupal")
        let problem = try #require((files[1]["problems"] as? [[String: Any]])?.first)
        #expect(problem["line"] as? Int == 3 && problem["column"] as? Int == 8 && problem["key"] as? String == "files")
        #expect((problem["hint"] as? String)?.contains("/var/log/drupal*.log") == true)
    }

    @Test func shipFileWhoseSettingsDoNotGoTogetherIsRefused() throws {
        let directory = try TemporaryDirectory()
        let text =
            "job: ship\nname: x\nfiles: /a\nrecord: fluentd\n"
            + "destination: {stream: s, region: eu-west-1, aggregate: lines}"
        let result = try Program.run(["check", try directory.write("lines.yaml", text)])
        #expect(result.status == 78 && result.output.contains("destination.aggregate: `lines` does not go with"))
    }

    @Test func variablesComeFromTheEnvironment() throws {
        let result = try Program.run(["check", samples[0]], environment: ["SLUICE_BUCKET": "Not A Bucket"])
        #expect(result.status == 78)
        #expect(
            result.output.contains("destination.bucket: \"Not A Bucket\" (from ${SLUICE_BUCKET:-acme-logs}) is not"))
    }

    /// A path is text from outside too.
    @Test func controlCharactersNeverReachTheTerminal() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a\u{1B}[31m.yaml", "job: \"x\\e[2J\"\n")
        for arguments in [["check", path], ["transform", path]] {
            let result = try Program.run(arguments)
            #expect(result.status == 78)
            #expect(!(result.output + result.errors).contains("\u{1B}"))
        }
    }
}
