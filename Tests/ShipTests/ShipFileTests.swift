// Files over time: rotation, truncation, first sight, patterns; and the position file itself.
import AWS
import Diagnostics
import Foundation
import State
import Testing

@testable import Jobs

@Suite struct ShipFileTests {
    @Test func rotatedFileIsFinishedFirstUnderItsOldKeys() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        try space.write("one\n")
        await space.ship(stream)
        try space.append("two\n")
        try space.rename("drupal.log", to: "drupal.log.1")
        try space.write("three\n")
        try touch(space.path("drupal.log.1"), secondsAgo: 60)
        let report = await space.ship(stream)
        #expect(report.exitCode == .done)
        #expect(stream.lines == ["one", "two", "three"])
        let keys = stream.stored.map { $0.key.split(separator: "/") }
        #expect(keys.map { $0[1] } == ["drupal.log", "drupal.log", "drupal.log"])
        #expect(keys[0][2] == keys[1][2])
        #expect(keys[1][2] != keys[2][2])
        await space.ship(stream)
        #expect(stream.stored.count == 3)
    }

    @Test func rotatedFileThatThePatternMatchesIsNotSentTwice() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let file = space.jobFile(files: ["drupal.log*"])
        try space.write("one\n")
        await space.ship(stream, file)
        try space.rename("drupal.log", to: "drupal.log.1")
        try space.write("two\n")
        try space.write("not lines", to: "drupal.log.2.gz")
        await space.ship(stream, file)
        #expect(stream.lines == ["one", "two"])
    }

    @Test func removedFileIsForgottenWithAWord() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let file = space.jobFile(files: ["*.log"])
        try space.write("one\nunfinished", to: "a.log")
        try space.write("two\n", to: "b.log")
        await space.ship(stream, file)
        try FileManager.default.removeItem(atPath: space.path("a.log"))
        try FileManager.default.removeItem(atPath: space.path("b.log"))
        let report = await space.ship(stream, file)
        #expect(report.exitCode == .done)
        // It may come back: a folder may be mounted again. After a week it is forgotten.
        #expect(try space.positions.files.map { $0.absentSince > 0 } == [true, true])
        #expect(space.events.messages(.warning).contains { $0.contains("before all of it was shipped") })
        #expect(space.events.messages(.info).contains { $0.contains("is gone") })
        var positions = try space.positions
        positions.files[0].absentSince -= AbsentLogs.secondsMax
        try PositionFile(directory: space.path("state")).save(positions)
        await space.ship(stream, file)
        #expect(try space.positions.files.count == 1)
    }

    @Test func fileThatWasAwayIsNotSentAgain() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let file = space.jobFile(files: ["*.log"])
        try space.write("one\n", to: "a.log")
        await space.ship(stream, file)
        try space.rename("a.log", to: "elsewhere")
        await space.ship(stream, file)
        try space.append("two\n", to: "elsewhere")
        try space.rename("elsewhere", to: "a.log")
        await space.ship(stream, file)
        #expect(stream.lines == ["one", "two"])
    }

    @Test(arguments: ["new\n", "new content that is longer than what was there before\n"])
    func truncatedAndRefilledFileIsReadFromItsHead(content: String) async throws {
        let space = try Workspace()
        let stream = FakeStream()
        try space.write("one line\ntwo lines\n")
        await space.ship(stream)
        try space.truncate()
        try space.append(content)
        await space.ship(stream)
        #expect(stream.lines == ["one line", "two lines", content.dropLast().description])
        #expect(Set(stream.stored.map { $0.key.split(separator: "/")[2] }).count == 2)
        #expect(space.events.messages(.warning).count == 1)
    }

    @Test func sameHeadButOtherContentBeforeThePositionIsNoticed() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let head = String(repeating: "h", count: 2_000) + "\n"
        try space.write(head + "one\n")
        await space.ship(stream)
        try space.truncate()
        try space.append(head + "two\nthree\n")
        await space.ship(stream)
        #expect(stream.lines.suffix(2) == ["two", "three"])
    }

    @Test func startAtTheTailSkipsWhatWasThereAndNothingLater() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let file = space.jobFile { $0.start = .tail }
        try space.write("old\nunfin")
        await space.ship(stream, file)
        #expect(stream.lines == [])
        try space.append("ished\nnew\n")
        await space.ship(stream, file)
        #expect(stream.lines == ["unfinished", "new"])
        // After a rotation the new file at the same path is read from its head.
        try space.rename("drupal.log", to: "drupal.log.1")
        try space.write("after rotation\n")
        await space.ship(stream, file)
        #expect(stream.lines == ["unfinished", "new", "after rotation"])
    }

    @Test func emptyFileGetsItsGenerationWithItsFirstContent() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        try space.write("")
        await space.ship(stream)
        #expect(try space.positions.files.first?.generation == "")
        try space.append("one\n")
        await space.ship(stream)
        #expect(stream.lines == ["one"])
        #expect(try space.positions.files.first?.generation.count == 8)
    }

    @Test func fileThatCannotBeReadKeepsItsPositionAndTheOthersAreShipped() async throws {
        let space = try Workspace()
        let stream = FakeStream()
        let file = space.jobFile(files: ["a.log", "b.log"])
        try space.write("a1\n", to: "a.log")
        try space.write("b1\n", to: "b.log")
        await space.ship(stream, file)
        // A folder in the way of the log is refused, also for a user whom permissions do not stop.
        try space.append("a2\n", to: "a.log")
        try space.rename("a.log", to: "real")
        try FileManager.default.createDirectory(atPath: space.path("a.log"), withIntermediateDirectories: false)
        try space.append("b2\n", to: "b.log")
        let report = await space.ship(stream, file)
        #expect(report.exitCode == .jobFileInvalid)
        #expect(report.problem?.cause == "is not a regular file")
        #expect(stream.lines == ["a1", "b1", "b2"])
        try FileManager.default.removeItem(atPath: space.path("a.log"))
        try space.rename("real", to: "a.log")
        let healed = await space.ship(stream, file)
        #expect(healed.exitCode == .done)
        #expect(stream.lines.filter { $0.hasPrefix("a") } == ["a1", "a2"])
    }

    @Test func missingFileIsAProblemAndAnEmptyPatternIsNot() async throws {
        let space = try Workspace()
        let report = await space.ship(FakeStream())
        #expect(report.exitCode == .temporary)
        #expect(report.problem?.cause.contains("No such file") == true)
        let pattern = await space.ship(FakeStream(), space.jobFile(files: ["*.log"]))
        #expect(pattern.exitCode == .done)
        #expect(space.events.messages(.warning) == ["no file matches"])
    }

    @Test func directoryIsRefused() async throws {
        let space = try Workspace()
        try FileManager.default.createDirectory(atPath: space.path("drupal.log"), withIntermediateDirectories: true)
        #expect(await space.ship(FakeStream()).exitCode == .jobFileInvalid)
    }

    @Test func secondRunAtTheSameTimeIsRefused() async throws {
        let space = try Workspace()
        try space.write("one\n")
        let directory = StateDirectory(space.path("state"))
        try directory.prepare()
        let lock = try JobLock(directory: directory)
        let stream = FakeStream()
        let report = await space.ship(stream)
        #expect(report.exitCode == .jobLocked)
        #expect(report.problem?.cause.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        #expect(stream.requests.isEmpty)
        lock.release()
        #expect(await space.ship(stream).exitCode == .done)
    }

    @Test(arguments: ["", "{", "[]", "{\"format_version\": 4}", "{\"format_version\": 2, \"files\": []}", "\u{0}"])
    func positionFileThatIsNotUnderstoodStopsTheRunAndStays(content: String) async throws {
        let space = try Workspace()
        try space.write("one\n")
        try StateDirectory(space.path("state")).prepare()
        try space.write(content, to: "state/positions.json")
        let stream = FakeStream()
        let report = await space.ship(stream)
        #expect(report.exitCode == .stateOrIdentity)
        #expect(report.problem?.hint != nil)
        #expect(stream.requests.isEmpty)
        #expect(try String(contentsOfFile: space.path("state/positions.json"), encoding: .utf8) == content)
    }

    @Test func positionsOfAnotherStreamAreRefused() async throws {
        let space = try Workspace()
        try space.write("one\n")
        await space.ship(FakeStream())
        let report = await space.ship(FakeStream(), space.jobFile(stream: "other"))
        #expect(report.exitCode == .stateOrIdentity)
        #expect(report.problem?.cause.contains("stream s") == true)
    }

    @Test func positionFileIsPrivateAndSaved() async throws {
        let space = try Workspace()
        try space.write("one\n")
        await space.ship(FakeStream())
        let attributes = try FileManager.default.attributesOfItem(atPath: space.path("state/positions.json"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let folder = try FileManager.default.attributesOfItem(atPath: space.path("state"))
        #expect(folder[.posixPermissions] as? Int == 0o700)
        #expect(!FileManager.default.fileExists(atPath: space.path("state/positions.json.new")))
    }

    @Test func stateDirectoryThatCannotBeMadeIsReported() async throws {
        let space = try Workspace()
        try space.write("one\n")
        try space.write("a file is in the way", to: "state")
        let stream = FakeStream()
        let report = await space.ship(stream)
        #expect(report.exitCode != .done)
        #expect(report.problem?.subject.hasPrefix(space.path("state")) == true)
        #expect(stream.requests.isEmpty)
    }

    private func touch(_ path: String, secondsAgo: TimeInterval) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -secondsAgo)], ofItemAtPath: path)
    }
}
