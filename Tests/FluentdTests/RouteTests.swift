// Which tags match, and which outputs the lines of a source reach.

import Diagnostics
import Foundation
import Testing

@testable import Jobs

@Suite struct RouteTests {
    @Test func everyRecordedPatternMatchesWhatItMatchesInFluentd() throws {
        let lines = try recorded("patterns.tsv")
        #expect(lines.count > 600)
        for line in lines {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let matches = FluentdPattern(FluentdValue(fields[0])).matches(fields[1])
            #expect(matches == (fields[2] == "1"), "\(fields[0]) and \(fields[1])")
        }
    }

    @Test func patternThatCannotBeReadIsUnknownUnlessAnotherMatches() {
        #expect(FluentdPattern(FluentdValue("/(/ a")).matches("a") == true)
        #expect(FluentdPattern(FluentdValue("/(/ a")).matches("b") == nil)
        #expect(FluentdPattern(FluentdValue("/open")).matches("open") == nil)
        #expect(FluentdPattern(FluentdValue(parts: [.code])).matches("x") == nil)
        #expect(FluentdPattern(FluentdValue("")).matches("any.tag") == true)
        #expect(FluentdPattern(FluentdValue("a b\tc")).matches("c") == true)
    }

    private let source = "<source>\n@type tail\npath /var/log/a.log\nformat syslog\ntag a.b\n</source>\n"

    private func output(_ match: String, _ stream: String, _ inside: String = "") -> String {
        "<match \(match)>\n@type kinesis_streams\nstream_name \(stream)\nregion us-east-1\n\(inside)</match>\n"
    }

    private func streams(_ text: String) throws -> [String] { try FluentdImport.of(text).made.map(\.stream) }

    @Test func firstMatchingSectionTakesTheLines() throws {
        #expect(try streams(source + output("x", "no") + output("a.*", "first") + output("**", "second")) == ["first"])
        #expect(try streams(output("**", "before") + source + output("a.b", "after")) == ["before"])
        #expect(try streams(source + "<match **>\n@type null\n</match>\n" + output("a.b", "after")) == [])
    }

    @Test func copyLeadsToEveryStoreAlsoInside() throws {
        let store = { (stream: String) in "<store>\n@type kinesis_streams\nstream_name \(stream)\n</store>\n" }
        let text =
            source
            + "<match a.**>\n@type copy\n\(store("one"))<store>\n@type file\npath /x\n</store>\n<store>\n@type copy\n"
            + "\(store("two"))\(store("three"))</store>\n</match>\n"
        let found = try FluentdImport.of(text)
        #expect(found.made.map(\.stream) == ["one", "two", "three"])
        #expect(found.made.map(\.name) == ["a-b", "a-b-2", "a-b-3"])
        #expect(found.notes.map(\.outcome) == [.ignored])
    }

    @Test func labelsAndRelabelLeadOnAndTheirFiltersAreTold() throws {
        let labelled = source.replacing("tag a.b", with: "tag a.b\n@label @IN")
        let text =
            labelled + output("**", "not this") + "<label @IN>\n<filter a.**>\n@type grep\n</filter>\n"
            + "<filter other>\n@type x\n</filter>\n<match **>\n@type relabel\n@label @OUT\n</match>\n</label>\n"
            + "<label @OUT>\n<filter>\n@type record_transformer\n</filter>\n" + output("a.b", "right") + "</label>\n"
        let job = try #require(try FluentdImport.of(text).made.first)
        #expect(job.stream == "right")
        let filters = job.notes.filter { $0.setting.hasPrefix("<filter") }
        #expect(filters.map(\.outcome) == [.refused, .refused])
        #expect(filters.map(\.setting) == ["<filter a.**>", "<filter>"])
    }

    @Test func labelsThatLeadInACircleEnd() throws {
        let text =
            source.replacing("tag a.b", with: "tag a.b\n@label @A")
            + "<label @A>\n<match **>\n@type relabel\n@label @A\n</match>\n</label>\n"
        let found = try FluentdImport.of(text)
        #expect(found.made.isEmpty && found.notes.map(\.outcome) == [.refused])
        #expect(found.failure?.exitCode.rawValue == 78)
    }

    @Test func filterAfterTheMatchSectionIsNotInTheWay() throws {
        let found = try FluentdImport.of(source + output("**", "s") + "<filter **>\n@type grep\n</filter>\n")
        #expect(found.made.first?.notes.contains { $0.setting.hasPrefix("<filter") } == false)
    }

    @Test(arguments: [
        ("rewrite_tag_filter", "Sluice does not know @type rewrite_tag_filter"), ("kinesis_firehose", "Firehose"),
        ("roundrobin", "Sluice does not know @type roundrobin"),
    ])
    func outputThatIsNotFollowedIsTold(type: String, text: String) throws {
        let found = try FluentdImport.of(source + "<match **>\n@type \(type)\n</match>\n")
        let note = try #require(found.notes.first)
        #expect(found.made.isEmpty && note.outcome == .refused && note.text.contains(text))
        #expect(note.place == FluentdPlace(file: "/etc/f.conf", line: 7))
    }

    @Test func sourcesAndSectionsThatLeadNowhereAreTold() throws {
        let found = try FluentdImport.of(
            "<system>\nworkers 2\n</system>\n<source>\n@type forward\nport 24224\n</source>\n" + source
                + "<source>\n@type tail\npath /x\nformat none\n</source>\n<strange x>\n</strange>\nstray setting\n"
                + "<source>\n@type tail\npath /x\nformat none\ntag t\n@label @NONE\n</source>\n")
        #expect(found.made.isEmpty)
        #expect(
            found.notes.map { "\($0.place?.line ?? 0) \($0.outcome.rawValue) \($0.setting)" } == [
                "1 ignored <system>", "4 refused <source>", "8 refused <source>", "14 refused <source>",
                "19 refused <strange x>", "22 refused <source>", "21 refused stray",
            ])
        #expect(found.failure?.cause == "no lines of a @type tail source reach a Kinesis output")
    }

    @Test func workersStandForOneProcess() throws {
        #expect(try streams("<worker 0>\n\(source)</worker>\n" + output("a.b", "s")) == ["s"])
    }

    @Test(arguments: [
        ("x.*", "/var/log/a.log", "x.var.log.a.log"), ("*", "/var/log/a.log", "var.log.a.log"),
        ("x.*.y", "/a//b.log, /c", "x.a.b.log.y"),
    ])
    func tagWithAStarHoldsThePath(tag: String, path: String, expected: String) throws {
        let text = source.replacing("tag a.b", with: "tag \(tag)").replacing("/var/log/a.log", with: path)
        #expect(try streams(text + output(expected, "s")) == ["s"])
    }
}
