// Whole imports: `Goldens/<what it shows>/` holds a configuration (`fluent.conf` and what it includes) and `expected.txt`,
// what the command prints for it: the account of every setting, then the job files. `UPDATE_GOLDENS=1` rewrites it; the
// diff is what a review looks at.

import Diagnostics
import Foundation
import Testing

@testable import Jobs
@testable import sluice

private let goldensFolder = testsFolder.appending(path: "FluentdTests/Goldens")

private func goldenNames() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: goldensFolder.path)) ?? []
    return names.sorted()
}

/// The configuration of a golden as if it lay in /etc/fluent.
private func files(of name: String) throws -> MemoryFiles {
    let folder = goldensFolder.appending(path: name)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".conf") }
    let texts = try paths.map {
        ("/etc/fluent/\($0)", try String(contentsOf: folder.appending(path: $0), encoding: .utf8))
    }
    return MemoryFiles(texts: Dictionary(uniqueKeysWithValues: texts))
}

private func imported(_ name: String) throws -> FluentdImport {
    try FluentdImport.read(path: "/etc/fluent/fluent.conf", files: files(of: name))
}

/// What makes the job files' own variables and the region known.
private let environment = ["AWS_REGION": "us-east-1", "FLUSH": "1"]

@Suite struct ImportTests {
    @Test func goldensAreThere() { #expect(goldenNames().count >= 11) }

    @Test(arguments: goldenNames())
    func accountAndJobFilesAreThoseOfTheGolden(name: String) throws {
        let outcome = try ImportOutcome(imported(name), output: nil, environment: environment)
        let text = ImportSummary(outcome).text + "\n"
        let expectedFile = goldensFolder.appending(path: "\(name)/expected.txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
            try Data(text.utf8).write(to: expectedFile)
            return
        }
        let expected = try String(contentsOf: expectedFile, encoding: .utf8)
        #expect(text == expected, "UPDATE_GOLDENS=1 rewrites it")
    }

    /// The promise to the operator: what comes out runs.
    @Test(arguments: goldenNames())
    func everyJobFileIsAcceptedByCheck(name: String) throws {
        for job in try imported(name).made {
            let text = try #require(job.jobFile)
            #expect(throws: Never.self, "\(job.name)") {
                _ = try JobFileLoader.parse(Array(text.utf8), path: job.name, environment: environment)
            }
        }
    }

    /// Each setting and section of what a job is made of has a note at its line, or is the section itself.
    @Test(arguments: goldenNames())
    func everySettingIsAccountedFor(name: String) throws {
        let found = try imported(name)
        for job in found.jobs {
            var reader = FluentdConfigReader(files: try files(of: name))
            let root = try reader.read("/etc/fluent/fluent.conf")
            let noted = Set(job.notes.compactMap(\.place))
            for place in [job.source, job.output] {
                let section = try #require(root.section(at: place))
                // Of these sections only the whole is told.
                let isWhole = { (inside: FluentdSection) in
                    !["parse", "buffer", "format", "inject"].contains(inside.name)
                }
                var places = section.settings.map(\.place)
                for inside in section.sections {
                    places += isWhole(inside) ? [inside.place] : inside.settings.map(\.place)
                }
                for place in places { #expect(noted.contains(place), "\(place) has no note") }
            }
        }
    }

    @Test(arguments: goldenNames())
    func noSecretIsEverPrinted(name: String) throws {
        let outcome = try ImportOutcome(imported(name), output: nil, environment: environment)
        let summary = ImportSummary(outcome)
        for text in [summary.text, JSONText.line(summary)] {
            for secret in ["AKIA", "wJalr", "hunter2", "a-shared-secret", "123456789012"] {
                #expect(!text.contains(secret), "\(secret)")
            }
        }
    }

    @Test func secretInAPlaceForOtherThingsIsNotPrinted() throws {
        let found = try FluentdImport.of(
            """
            <source>
            @type tail
            path /var/log/a.log
            format syslog
            tag t
            pos_file AKIAIOSFODNN7EXAMPLE
            </source>
            <match **>
            @type kinesis_streams
            stream_name s
            my_password hunter2
            try_flush_interval AKIAIOSFODNN7EXAMPLE
            </match>
            """)
        let notes = try #require(found.made.first).notes
        #expect(!ImportSummary(try ImportOutcome(found, output: nil, environment: environment)).text.contains("AKIA"))
        #expect(notes.contains { $0.setting == "match my_password" && $0.outcome == .refused })
        #expect(!notes.contains { "\($0)".contains("AKIA") || "\($0)".contains("hunter2") })
    }

    @Test func importWithoutAnyJobFailsWith78AndSaysWhy() throws {
        let none = try #require(try FluentdImport.of("<match **>\n@type null\n</match>\n").failure)
        #expect(none.exitCode == .jobFileInvalid && none.place.description == "/etc/f.conf")
        let found = try FluentdImport.of(
            "<source>\n@type tail\npath /a\ntag t\nformat nginx\n</source>\n<match **>\n@type kinesis\nstream_name s\n</match>\n"
        )
        let blocked = try #require(found.failure)
        #expect(blocked.place.line == 7 && blocked.cause.contains("lines are parsed with nginx"))
        #expect(found.jobs.first?.jobFile == nil && found.made.isEmpty)
    }

    @Test func settingGivenTwiceCountsOnce() throws {
        let found = try FluentdImport.of(
            "<source>\n@type tail\npath /a\npath /b\ntag t\nformat syslog\n</source>\n<match **>\n@type kinesis_streams\nstream_name s\n</match>\n"
        )
        let job = try #require(found.made.first)
        #expect(job.files == ["/b"])
        let note = try #require(job.notes.first { $0.outcome == .ignored && $0.setting == "source path" })
        #expect(note.text == "is given again at /etc/f.conf:4, which counts" && note.place?.line == 3)
    }

    @Test(arguments: [
        ("1", 1.0), ("0.5", 0.5), ("10s", 10), ("2m", 120), ("1h", 3_600), ("1d", 86_400), ("1h30m", 1_800), ("x", nil),
        ("", nil), ("-1", nil), ("nan", nil),
    ])
    func timesAreReadAsFluentdReadsThem(text: String, seconds: Double?) {
        #expect(FluentdValue(text).seconds == seconds)
    }

    @Test(arguments: [
        ("1m", 1 << 20), ("256k", 256 << 10), ("8M", 8 << 20), ("1g", 1 << 30), ("5242880", 5_242_880), ("big", nil),
        ("-1", nil), ("99999999999999t", nil),
    ])
    func sizesAreReadAsFluentdReadsThem(text: String, bytes: Int?) { #expect(FluentdValue(text).bytes == bytes) }

    @Test func hostileNamesStayInsideTheirScalars() throws {
        let path = "/var/log/\\\"x: y#\u{1B}[2J\u{85}${HOME} $${A}.log"
        let found = try FluentdImport.of(
            "<source>\n@type tail\npath \(path)\ntag ' \u{7}/../T€'\nformat syslog\n</source>\n<match **>\n@type kinesis_streams\nstream_name s\nregion us-east-1\n</match>\n"
        )
        let job = try #require(found.made.first)
        #expect(job.name == "t")
        let text = try #require(job.jobFile)
        // A control character in a path is refused by the job file; all else arrives as it is.
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        let error = #expect(throws: JobFileError.self) {
            _ = try JobFileLoader.parse(Array(text.utf8), path: "j", environment: environment)
        }
        #expect(error?.problems.map(\.message) == ["holds a control character such as a line break"])
    }
}

extension FluentdSection {
    fileprivate func section(at place: FluentdPlace) -> FluentdSection? {
        if self.place == place { return self }
        return sections.lazy.compactMap { $0.section(at: place) }.first
    }
}
