// What `sluice init` writes: the example job files with other values in them.

import Diagnostics
import Foundation
import Testing

@testable import Jobs

@Suite struct JobFileTemplateTests {
    private let example = """
        # Title
        job: ship
        name: a                 # first
        files:                  # paths
          - /one
          - /two  # second

        start: head
        destination:
          stream: "x # y"       # name
          # region: us-east-1   # where
          nested:
            stream: z
        more: ["a", "b"]
        state:
          directory: d
        """

    private func filled(_ values: [String: TemplateValue]) -> String {
        JobFileTemplate(text: example).filled(title: "T", values: values).text
    }

    @Test func withoutValuesOnlyTheTitleChanges() {
        #expect(filled([:]) == example.replacing("# Title", with: "# T"))
    }

    @Test func valueTakesThePlaceOfAnotherAndTheRemarkStays() {
        let text = filled([
            "name": .scalar("b"), "destination.stream": .scalar("other"), "state.directory": .scalar("/e"),
        ])
        #expect(text.contains("\nname: \"b\"               # first\n"))
        #expect(text.contains("\n  stream: other         # name\n"))
        #expect(text.contains("\n    stream: z\n") && text.hasSuffix("\n  directory: /e"))
    }

    @Test func listTakesThePlaceOfABlockAndOfALine() {
        let text = filled(["files": .list(["/a", "/b #c"]), "more": .list(["d"])])
        #expect(text.contains("\nfiles: [\"/a\", \"/b #c\"]  # paths\n\nstart: head\n"))
        #expect(text.contains("\nmore: [\"d\"]\n") && !text.contains("/one") && !text.contains("second"))
    }

    @Test func keyInACommentIsPutInForce() {
        #expect(filled(["destination.region": .scalar("eu-west-1")]).contains("\n  region: eu-west-1     # where\n"))
    }

    @Test func valueWithoutALineIsReported() {
        let result = JobFileTemplate(text: example).filled(title: "T", values: ["nowhere": .scalar("x")])
        #expect(result.unused == ["nowhere"])
    }

    /// The files in `jobs/` are the templates.
    @Test(arguments: JobFile.Kind.allCases) func templateIsTheExample(kind: JobFile.Kind) throws {
        let name = kind == .archive ? "drupal-archive" : "drupal-ship"
        let text = try String(contentsOf: repository.appendingPathComponent("jobs/\(name).yaml"), encoding: .utf8)
        let lines = JobFileTemplate(kind).filled(title: "", values: [:]).text.split(separator: "\n")
        #expect(lines.dropFirst() == text.split(separator: "\n").dropFirst())
    }

    /// Whatever is answered comes back from the loader as it was given, and no variable of the example is left.
    @Test(arguments: [
        "/var/log/a b.log", "/var/log/#x.log", "/v/\"q\" \\ '.log", "/v/*[a-z]?.log", "/v/: -.log", "/v/${HOME}.log",
        "/v/ä.log", "/no", "/v/{a}, b.log",
    ])
    func draftOfAShipperIsReadBackAsItWasAnswered(path: String) throws {
        var draft = JobFileDraft(.ship)
        draft.answer("files", .list([path, "/second"]))
        draft.answer("destination.stream", .scalar("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/My_Stream.1"))
        #expect(draft.problems == [])
        let text = draft.text(path: "x.yaml")
        guard case .ship(let file) = try JobFileLoader.parse(Array(text.utf8), path: "x", environment: [:]) else {
            Issue.record("no ship job")
            return
        }
        #expect(file.files == [path, "/second"] && file.destination.stream.region == "cn-north-1")
        #expect(file.name == "my-stream-1-ship" && file.stateDirectory == "/var/lib/sluice/my-stream-1-ship")
        #expect(!text.contains("${SLUICE"))
    }

    @Test(arguments: ["123", "true", "no", "null", "1e5", "0x1f", "a.b", "~", "stream_-."])
    func draftOfAnArchiveKeepsNamesThatYAMLWouldTakeForSomethingElse(stream: String) throws {
        var draft = JobFileDraft(.archive)
        draft.answer("source.stream", .scalar(stream))
        draft.answer("source.region", .scalar("us-east-1"))
        draft.answer("destination.bucket", .scalar("123"))
        draft.answer("name", .scalar("12"))
        let problem = draft.problem(with: "source.stream")
        #expect((problem == nil) == (stream != "~"))
        guard problem == nil else { return }
        let text = draft.text(path: "x.yaml")
        guard case .archive(let file) = try JobFileLoader.parse(Array(text.utf8), path: "x", environment: [:]) else {
            Issue.record("no archive job")
            return
        }
        #expect(file.source.stream.name == stream && file.destination.bucket == "123" && file.name == "12")
        #expect(
            file.destination.controlPrefix == "_sluice/12/" && text.contains("prefix: \"12/dt={date}/hour={hour}/\""))
    }

    @Test func questionsAreAskedOnceAndInOrder() {
        var draft = JobFileDraft(.archive)
        #expect(draft.openQuestions.map(\.option) == ["--stream", "--region", "--bucket", "--name", "--prefix"])
        draft.answer("source.stream", .scalar("Web.Logs"))
        draft.answer("source.region", .scalar("us-east-1"))
        #expect(draft.openQuestions.map(\.fallback) == [nil, "web-logs", "web-logs/dt={date}/hour={hour}/"])
        draft.answer("name", .scalar("other"))
        #expect(draft.openQuestions.last?.fallback == "other/dt={date}/hour={hour}/")
    }
}
