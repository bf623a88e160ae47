// A copy that ends before the place up to which its log was shipped is not sent again, and a log that begins alike is.
import Foundation
import Testing

@testable import Jobs

struct CopyStory: CustomTestStringConvertible, Sendable {
    /// Bytes of NUL before the first line: a writer that went on at its old place.
    var hole: Int
    /// The copy was met while the log was still whole.
    var isSeen: Bool
    var form: Form
    /// The truncation is met by the next run.
    var isRestarted: Bool

    enum Form: CaseIterable { case plain, packed, packedLater }

    var testDescription: String { "hole \(hole), seen \(isSeen), \(form), restarted \(isRestarted)" }

    static let all = [0, 5_000].flatMap { hole in
        [false, true].flatMap { isSeen in
            Form.allCases.flatMap { form in
                [false, true].map { CopyStory(hole: hole, isSeen: isSeen, form: form, isRestarted: $0) }
            }
        }
    }
}

@Suite struct ShippedCopyTests {
    private static let log = "drupal.log"
    private static let copy = "drupal.log.1"

    @Test(arguments: CopyStory.all, [["a1"], (0..<40).map { "line \($0) of many that are more than a head holds" }])
    func copyThatIsShorterThanWhatWasShippedIsNotSentAgain(story: CopyStory, first: [String]) throws {
        let space = try Workspace()
        try space.write("")
        try space.truncate(to: UInt64(story.hole))
        var logs = FollowedLogs(space)
        try space.append(first.map { $0 + "\n" }.joined())
        try logs.catchUp()
        let bytes = try Data(contentsOf: URL(filePath: space.path(Self.log)))
        try bytes.write(to: URL(filePath: space.path(story.isSeen ? Self.copy : "aside")))
        if story.isSeen { try logs.catchUp() }
        try space.append("a2\na3\n")
        try logs.read()
        if !story.isSeen { try space.rename("aside", to: Self.copy) }
        if story.form == .packed { try pack(space, bytes) }
        try space.truncate()
        try space.append("b1\n")
        if story.isRestarted { logs = FollowedLogs(space, try saved(logs)) }
        let before = story.isRestarted ? first + ["a2", "a3"] : []
        try logs.read()
        try logs.catchUp()
        if story.form == .packedLater {
            try pack(space, bytes)
            try logs.catchUp()
        }
        #expect(before + logs.lines == first + ["a2", "a3", "b1"])
        // Neither is it new to the runs after this one.
        let next = FollowedLogs(space, try saved(logs))
        try next.catchUp()
        #expect(next.lines.isEmpty)
    }

    /// Whoever packs a file gives the packed one its time at last. A look may come before that.
    @Test(arguments: [false, true])
    func packedFileThatGetsItsTimeAfterItWasShippedIsNotSentAgain(isRestarted: Bool) throws {
        let space = try Workspace()
        try space.write("a1\na2\n")
        var logs = FollowedLogs(space)
        try logs.catchUp()
        try Data(packed("a1\na2\na3\n")).write(to: URL(filePath: space.path(Self.copy + ".gz")))
        try space.truncate()
        try space.append("b1\n")
        try logs.catchUp()
        let sent = logs.lines
        #expect(sent == ["a1", "a2", "a3", "b1"])
        if isRestarted { logs = FollowedLogs(space, try saved(logs)) }
        try touch(space.path(Self.copy + ".gz"), Date(timeIntervalSinceNow: -3))
        try logs.catchUp()
        #expect(logs.lines == (isRestarted ? [] : sent))
    }

    @Test func copyIsReadOnWhenTheStreamHasNotStoredAllOfIt() throws {
        let space = try Workspace()
        try space.write("a1\n")
        let logs = FollowedLogs(space)
        logs.stores = false
        try logs.catchUp()
        try space.write("a1\n", to: "aside")
        try space.append("a2\n")
        try logs.read()
        try space.rename("aside", to: Self.copy)
        try space.truncate()
        try space.append("b1\n")
        try logs.catchUp()
        #expect(logs.lines.isEmpty)
        let next = FollowedLogs(space, try saved(logs))
        try next.catchUp()
        #expect(next.lines.sorted() == ["a1", "b1"])
    }

    static let banners = ["# Log of the day", String(repeating: "# Log of the day, at length. ", count: 60)]

    /// When the other log was changed last, from the truncation on; and whether it was packed.
    @Test(arguments: banners, [(60.0, false), (60.0, true), (-600.0, false), (-600.0, true)])
    func anotherLogThatBeginsAlikeIsShipped(banner: String, other: (seconds: Double, isPacked: Bool)) throws {
        let space = try Workspace()
        try space.write(banner + "\n")
        let logs = FollowedLogs(space)
        try logs.catchUp()
        try space.append("x1\nx2 is longer than what the other one says\n")
        try logs.read()
        try space.truncate()
        let text = banner + "\ny1\n"
        let name = other.isPacked ? Self.copy + ".gz" : Self.copy
        try Data(other.isPacked ? packed(text) : Array(text.utf8)).write(to: URL(filePath: space.path(name)))
        try touch(space.path(name), Date(timeIntervalSinceNow: other.seconds))
        let next = FollowedLogs(space, try saved(logs))
        try next.catchUp()
        #expect(next.lines == [banner, "y1"])
    }

    @Test func logOfTheSameTimeWithOtherBytesIsShipped() throws {
        let space = try Workspace()
        try space.write("# Log\nx1\n")
        let logs = FollowedLogs(space)
        try logs.catchUp()
        try space.write("# Log\ny1\n", to: "aside")
        try space.append("x2\n")
        try logs.read()
        try space.rename("aside", to: Self.copy)
        try space.truncate()
        try logs.catchUp()
        #expect(logs.lines == ["# Log", "x1", "x2", "# Log", "y1"])
    }

    /// The lines of a log with a few words are also the beginning of others; those of a longer one are its own.
    @Test(arguments: [("# Log of the day\n", true), (String(repeating: "a line of its own\n", count: 40), false)])
    func fileThatHoldsMoreThanAFinishedLogIsNotDone(first: String, isAnother: Bool) throws {
        let space = try Workspace()
        try space.write(first)
        var logs = FollowedLogs(space)
        try logs.catchUp()
        try space.rename(Self.log, to: Self.copy)
        try touch(space.path(Self.copy), Date(timeIntervalSinceNow: -60))
        try space.write("new\n")
        for _ in 0..<4 { try logs.catchUp() }
        #expect(logs.set.finished.positions.count == 1)
        logs = FollowedLogs(space, try saved(logs))
        try FileManager.default.removeItem(atPath: space.path(Self.copy))
        try Data(packed(first + "more\n")).write(to: URL(filePath: space.path(Self.copy + ".gz")))
        try logs.catchUp()
        let again = first.split(separator: "\n").map(String.init)
        #expect(logs.lines == (isAnother ? again : []) + ["more"])
    }

    @Test func copyOfALogThatWasEmptyWhenItWasReadLastIsShipped() throws {
        let space = try Workspace()
        try space.write("")
        let logs = FollowedLogs(space)
        try logs.catchUp()
        let lines = (0..<40).map { "line \($0) of a log that nobody has read" }
        try space.append(lines.map { $0 + "\n" }.joined())
        try Data(contentsOf: URL(filePath: space.path(Self.log))).write(to: URL(filePath: space.path(Self.copy)))
        logs.look()
        try space.truncate()
        try logs.catchUp()
        try space.append("b1\n")
        try logs.catchUp()
        #expect(logs.lines == lines + ["b1"])
    }

    /// A file of ten bytes, which are also the first ones of others: a line that was being written.
    @Test(arguments: [false, true]) func fewBytesMakeNoOtherFileACopy(isFinished: Bool) throws {
        let space = try Workspace()
        try space.write("live\n")
        var logs = FollowedLogs(space)
        try logs.catchUp()
        try space.write("Nov 28 09:", to: Self.log + ".1")
        try touch(space.path(Self.log + ".1"), Date(timeIntervalSinceNow: -60))
        for _ in 0..<(isFinished ? 4 : 1) { try logs.catchUp() }
        if isFinished { logs = FollowedLogs(space, try saved(logs)) }
        let before = logs.lines
        for (number, rest) in [(2, "53:33 web1 one\n"), (3, ""), (4, "53:34 web1 two\n")] {
            try space.write("Nov 28 09:" + rest, to: "\(Self.log).\(number)")
            // Nobody writes to it any more.
            try touch(space.path("\(Self.log).\(number)"), Date(timeIntervalSinceNow: Double(number - 30)))
        }
        for _ in 0..<6 { try logs.catchUp() }
        let lines = Set(logs.lines.dropFirst(before.count))
        #expect(lines.isSuperset(of: ["Nov 28 09:53:33 web1 one", "Nov 28 09:53:34 web1 two", "Nov 28 09:"]))
    }

    // MARK: - Helpers

    /// Through the position file, as the next run gets them.
    private func saved(_ logs: FollowedLogs) throws -> [FilePosition] {
        try JSONDecoder().decode([FilePosition].self, from: JSONEncoder().encode(logs.set.snapshot()))
    }

    /// As gzip(1) does: the packed file has the time of the plain one.
    private func pack(_ space: Workspace, _ bytes: Data) throws {
        let (plain, target) = (space.path(Self.copy), space.path(Self.copy + ".gz"))
        let time = try FileManager.default.attributesOfItem(atPath: plain)[.modificationDate] as? Date
        try Data(packed(Array(bytes))).write(to: URL(filePath: target))
        try touch(target, try #require(time))
        try FileManager.default.removeItem(atPath: plain)
    }

    private func touch(_ path: String, _ time: Date) throws {
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
    }
}
