// The reader of configurations against Fluentd's own parser, and what it says of files that it refuses.

import Diagnostics
import Foundation
import Testing

@testable import Jobs

/// A section as the recorded trees have it.
private struct Tree: Decodable, Equatable {
    var name: String
    var argument: String
    var settings: [String: String]
    var sections: [Tree]

    init(_ section: FluentdSection) {
        let environment = ["SLUICE_TEST": "from the environment"]
        func text(_ value: FluentdValue) -> String {
            value.parts.map { part in
                switch part {
                case .text(let text): text
                case .variable(let name, let fallback): environment[name] ?? fallback ?? ""
                case .code: "?"
                }
            }.joined()
        }
        name = section.name.isEmpty ? "ROOT" : section.name
        argument = text(section.argument)
        settings = Dictionary(section.settings.map { ($0.key, text($0.value)) }) { $1 }
        sections = section.sections.map(Tree.init)
    }

    /// JSON values are kept as written; Fluentd writes them anew.
    func withPlainJSON() throws -> Tree {
        var tree = self
        tree.settings = try settings.mapValues { value in
            guard value.hasPrefix("[") || value.hasPrefix("{") else { return value }
            let parsed = try JSONSerialization.jsonObject(with: Data(value.utf8))
            return String(decoding: try JSONSerialization.data(withJSONObject: parsed), as: UTF8.self)
        }
        tree.sections = try sections.map { try $0.withPlainJSON() }
        return tree
    }
}

private struct Recorded: Decodable {
    var text: String
    var tree: Tree?
}

private func refusal(_ text: String, _ besides: [String: String] = [:]) -> FluentdConfigError? {
    do {
        var reader = FluentdConfigReader(files: MemoryFiles(texts: besides.merging(["/etc/f.conf": text]) { $1 }))
        _ = try reader.read("/etc/f.conf")
        return nil
    } catch {
        return error
    }
}

@Suite struct SyntaxTests {
    @Test func everyRecordedConfigurationIsReadAsFluentdReadsIt() throws {
        let lines = try recorded("syntax.jsonl")
        var refusedCount = 0
        for line in lines {
            let golden = try JSONDecoder().decode(Recorded.self, from: Data(line.utf8))
            guard let tree = golden.tree else {
                refusedCount += 1
                let error = refusal(golden.text)
                #expect(error != nil, "\(golden.text)")
                #expect(error?.exitCode == .jobFileInvalid && (error?.place.line ?? 0) > 0, "\(golden.text)")
                continue
            }
            var reader = FluentdConfigReader(files: MemoryFiles(texts: ["f.conf": golden.text]))
            let read = try Tree(reader.read("f.conf")).withPlainJSON()
            #expect(try read == tree.withPlainJSON(), "\(golden.text)")
        }
        #expect(lines.count > 40 && refusedCount > 10)
    }

    @Test(arguments: [
        ("<source>\n  @type tail\n", 1, "<source> begins here and is not closed"),
        ("a b\n\n<match x>\n  <buffer>\n</match>\n", 5, "</match> stands where <buffer> of line 4 should end"),
        ("\n</source>\n", 2, "</source> ends nothing"), ("<source\n</source>", 1, "`>` is missing"),
        ("<source> x\n</source>", 1, "something follows `>` on the same line"),
        ("a b\nc \"d\n\ne\n", 2, "a quote begins here and is not closed"),
        ("a 'b\nc'\n", 1, "a quote begins here and is not closed"),
        ("a \"b\" c\n", 1, "something follows the closing quote on the same line"),
        ("a \"\\q\"\n", 1, "this letter has no meaning after a backslash"),
        ("x y\na [\"b\",\n", 2, "a value that begins with `[` or `{` is JSON, and this one is not closed"),
        ("a \"#{ENV['X']\n", 1, "`#{` begins here and is not closed"),
        ("<match a>\n</match> x\n", 2, "something follows the end tag on the same line"),
        ("  <1 2 3\n", 1, "`>` is missing"), ("< source>\n</source>", 1, "the name of a section is expected after `<`"),
        ("key<x> y\n", 1, "a setting or a section is expected here"),
        ("@include http://example.org/x.conf\n", 1, "files from the network are not included"),
        ("@include \"#{hostname}.conf\"\n", 1, "the file to include is not given as plain text"),
        ("a b\n@include f.conf\n", 2, "the file includes itself"),
    ])
    func brokenFileIsRefusedWithItsLine(text: String, line: Int, cause: String) throws {
        let error = try #require(refusal(text))
        #expect(error.place == FluentdPlace(file: "/etc/f.conf", line: line))
        #expect(error.cause == cause && error.exitCode == .jobFileInvalid)
        #expect(error.diagnostic.summary.hasPrefix("read Fluentd configuration /etc/f.conf:\(line): "))
    }

    @Test func limitsHoldAtTheirEdges() throws {
        let depth = FluentdConfigReader.depthMax
        func nested(_ count: Int) -> String {
            String(repeating: "<a>\n", count: count) + String(repeating: "</a>\n", count: count)
        }
        #expect(refusal(nested(depth - 1)) == nil)
        #expect(refusal(nested(depth))?.cause == "sections are nested more than \(depth) deep")
        let count = FluentdConfigReader.includedFilesMax
        func files(_ count: Int) -> [String: String] {
            Dictionary(uniqueKeysWithValues: (0..<count).map { ("/etc/d/\($0).conf", "k v\n") })
        }
        #expect(refusal("@include d/*.conf\n", files(count - 1)) == nil)
        #expect(refusal("@include d/*.conf\n", files(count))?.cause == "more than \(count) files are included")
    }

    @Test func includedFilesTakePartWhereTheyAreNamed() throws {
        var reader = FluentdConfigReader(
            files: MemoryFiles(texts: [
                "/etc/f.conf":
                    "@include conf.d/*.conf\ninclude old.conf\n<include oldest.conf/>\n<a>\n@include in.conf\n</a>\n",
                "/etc/conf.d/1.conf": "<source>\n@include x/deep.conf\n</source>\n", "/etc/conf.d/2.conf": "k 2\n",
                "/etc/conf.d/x/deep.conf": "tag deep\n", "/etc/old.conf": "k old\n", "/etc/oldest.conf": "k oldest\n",
                "/etc/in.conf": "k in\n",
            ]))
        let root = try reader.read("/etc/f.conf")
        #expect(root.sections.map(\.name) == ["source", "a"])
        #expect(root.setting("k")?.value.text == "oldest" && root.settings.count == 3)
        #expect(root.sections[0].setting("tag")?.place == FluentdPlace(file: "/etc/conf.d/x/deep.conf", line: 1))
        #expect(root.sections[1].setting("k")?.value.text == "in")
        #expect(reader.paths.count == 7 && reader.paths.first == "/etc/f.conf")
    }

    @Test func includeThatFindsNothingIsNotedAsFluentdPassesOverIt() throws {
        let found = try FluentdImport.of("@include nothing/*.conf\n")
        #expect(found.notes.map(\.setting) == ["@include"])
        #expect(found.notes.first?.place == FluentdPlace(file: "/etc/f.conf", line: 1))
    }

    @Test(arguments: ["/etc/f.rb", "/etc/f.yaml", "/etc/f.yml"])
    func otherFormsOfConfigurationAreRefused(path: String) throws {
        let error = #expect(throws: FluentdConfigError.self) {
            var reader = FluentdConfigReader(files: MemoryFiles(texts: [path: ""]))
            _ = try reader.read(path)
        }
        #expect(error?.cause == "configurations in Ruby or YAML are not read")
    }

    @Test func fileThatIsNotTextIsRefusedWithItsLine() throws {
        struct Raw: FluentdFiles {
            func read(_ path: String) throws(FluentdConfigError) -> [UInt8] { Array("a b\nc ".utf8) + [0xFF, 0x0A] }
            func glob(_ pattern: String) -> [String] { [] }
        }
        let error = #expect(throws: FluentdConfigError.self) {
            var reader = FluentdConfigReader(files: Raw())
            _ = try reader.read("/x")
        }
        #expect(error?.place == FluentdPlace(file: "/x", line: 2))
    }

    @Test(arguments: [
        ("ENV['A']", FluentdValue.Part.variable(name: "A", fallback: nil)),
        (" ENV[\"A_1\"] ", .variable(name: "A_1", fallback: nil)),
        ("ENV['A'] || 'b c'", .variable(name: "A", fallback: "b c")),
        ("ENV.fetch('A')", .variable(name: "A", fallback: nil)),
        ("ENV.fetch(\"A\", \"b\")", .variable(name: "A", fallback: "b")),
        ("ENV['A'] || \"#{x}\"", .code), ("hostname", .code), ("ENV['1']", .code), ("ENV['A'] + 'x'", .code),
        ("`rm -rf /`", .code), ("ENV['A'] || '}'", .code), ("", .code),
    ])
    func rubyCodeIsReadWhenItAsksTheEnvironmentAndNeverRun(code: String, part: FluentdValue.Part) {
        #expect(fluentdRubyPart(code) == part)
    }

    /// Random text: read or refused, at places that are there.
    @Test func hostileTextIsReadOrRefusedAtALineOfIt() throws {
        let seed = UInt64(Date().timeIntervalSince1970 * 1_000)
        var random = SeededRandom(state: seed)
        let parts = [
            "<", ">", "</", "a", "source", "\n", " ", "\t", "\"", "'", "\\", "#", "#{", "}", "[", "]", "{", "@include",
            "x.conf", "é", "\r", "\0", "</a>\n", "<a>\n", "k v\n",
        ]
        var readCount = 0
        for round in 0..<3_000 {
            let count = Int(random.next() % 30)
            let text = (0..<count).map { _ in parts[Int(random.next() % UInt64(parts.count))] }.joined()
            let lineCount = 1 + text.utf8.count { $0 == 10 }
            var reader = FluentdConfigReader(files: MemoryFiles(texts: ["/f": text]))
            do throws(FluentdConfigError) {
                let root = try reader.read("/f")
                readCount += 1
                let lines = root.settings.map(\.place.line) + root.sections.map(\.place.line)
                #expect(lines.allSatisfy { (1...lineCount).contains($0) }, "seed \(seed), round \(round)")
            } catch {
                #expect((1...lineCount).contains(error.place.line), "seed \(seed), round \(round): \(error)")
            }
        }
        #expect(readCount > 100, "seed \(seed)")
    }
}

private struct SeededRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
