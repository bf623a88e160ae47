// schemas/job.schema.json and the loader say the same: the same keys, the same words, the same verdicts.

import Foundation
import Testing
import Yams

@testable import Jobs

@Suite struct JobSchemaTests {
    private let schema: JSONSchema

    init() throws {
        schema = try JSONSchema(path: repository.appendingPathComponent("schemas/job.schema.json"))
    }

    @Test(arguments: JobFile.Kind.allCases) func schemaListsTheKeysThatTheLoaderKnows(kind: JobFile.Kind) {
        let definition = schema.resolve(["$ref": "#/$defs/\(kind.rawValue)"])
        var listed: [String: Set<String>] = [:]
        collect(definition, at: "", into: &listed)
        let known = JobFileKeys.sections(of: kind).mapValues(Set.init)
        #expect(listed == known)
    }

    private func collect(_ schema: [String: Any], at path: String, into listed: inout [String: Set<String>]) {
        guard let properties = schema["properties"] as? [String: [String: Any]] else { return }
        #expect(schema["additionalProperties"] as? Bool == false, "\(path) takes any key")
        listed[path] = Set(properties.keys)
        for (name, property) in properties {
            collect(self.schema.resolve(property), at: Section.join(path, name), into: &listed)
        }
    }

    /// A list of lists fits no key, so each key that is read must complain.
    @Test(arguments: JobFile.Kind.allCases) func loaderReadsEveryKeyItKnows(kind: JobFile.Kind) throws {
        let good = kind == .archive ? JobFiles.archive : JobFiles.ship
        for (section, names) in JobFileKeys.sections(of: kind) {
            for name in names where (section, name) != ("", "job") {
                var root = try #require(try compose(yaml: good))
                if section.isEmpty {
                    root[name] = [[]]
                } else {
                    var group = root[section] ?? Node([(Node, Node)]())
                    group[name] = [[]]
                    root[section] = group
                }
                let keys = JobFiles.problems(try Yams.serialize(node: root)).map(\.key)
                let full = Section.join(section, name)
                #expect(keys.contains { $0 == full || $0.hasPrefix(full + "[") }, "\(full) is not read: \(keys)")
            }
        }
    }

    @Test(arguments: ["drupal-archive", "drupal-ship"]) func sampleJobFileFitsTheSchema(name: String) throws {
        let text = try String(contentsOf: repository.appendingPathComponent("jobs/\(name).yaml"), encoding: .utf8)
        #expect(try schema.failures(try #require(try compose(yaml: text))) == [])
    }

    @Test(arguments: wrongArchiveFiles + wrongRedshiftFiles)
    func wrongArchiveFileFailsTheSchemaToo(wrong: WrongFile) throws {
        try check(wrong, good: JobFiles.archive)
    }

    @Test(arguments: wrongShipFiles) func wrongShipFileFailsTheSchemaToo(wrong: WrongFile) throws {
        try check(wrong, good: JobFiles.ship)
    }

    private func check(_ wrong: WrongFile, good: String) throws {
        guard wrong.schemaSees else { return }
        #expect(try schema.failures(try #require(try compose(yaml: good))) == [])
        let failures = try schema.failures(try #require(try compose(yaml: wrong.text(of: good))))
        #expect(!failures.isEmpty)
    }

    /// Every accepted word of the schema is accepted by the loader, at its key.
    @Test(arguments: JobFile.Kind.allCases) func everyWordOfTheSchemaIsAccepted(kind: JobFile.Kind) throws {
        let good = kind == .archive ? JobFiles.archive : JobFiles.ship
        var words: [(section: String, name: String, word: String)] = []
        collectWords(schema.resolve(["$ref": "#/$defs/\(kind.rawValue)"]), section: "", into: &words)
        #expect(words.count > 5)
        for (section, name, word) in words {
            var root = try #require(try compose(yaml: good))
            if section.isEmpty {
                root[name] = Node(word)
            } else {
                var group = root[section] ?? Node([(Node, Node)]())
                group[name] = Node(word)
                root[section] = group
            }
            #expect(JobFiles.problems(try Yams.serialize(node: root)) == [], "\(section).\(name): \(word)")
        }
    }

    private func collectWords(
        _ schema: [String: Any], section: String, into words: inout [(section: String, name: String, word: String)]
    ) {
        for (name, property) in schema["properties"] as? [String: [String: Any]] ?? [:] {
            let property = self.schema.resolve(property)
            for branch in [property] + (property["anyOf"] as? [[String: Any]] ?? []) {
                for word in branch["enum"] as? [String] ?? [] { words.append((section, name, word)) }
            }
            collectWords(property, section: Section.join(section, name), into: &words)
        }
    }
}
