// What is remembered of logs whose files are gone, and what tells a packed log from another one.
import Foundation
import Testing

@testable import Jobs

struct AbsentTests {
    @Test func finishedLogIsFoundByItsFileUntilAnotherLogHasTheInode() {
        var logs = FinishedLogs()
        #expect(logs.insert(position(inode: 1, "a")) == nil)
        #expect(logs.insert(position(inode: 2, "b")) == nil)
        #expect(logs.insert(position(inode: 3, "a")) == nil)
        #expect(logs.insert(position(inode: 1, "c"))?.generation == "a")
        #expect(logs[FileIdentity(device: 1, inode: 1)]?.generation == "c")
        #expect(logs.holdsLog(of: position(inode: 9, "a")))
        logs.remove(FileIdentity(device: 1, inode: 3))
        #expect(!logs.holdsLog(of: position(inode: 9, "a")))
        #expect(logs.positions.map(\.generation).sorted() == ["b", "c"])
        #expect(logs[FileIdentity(device: 1, inode: 2)]?.generation == "b")
    }

    @Test(arguments: [
        (false, AbsentLogs.secondsMax - 1, true), (false, AbsentLogs.secondsMax, false),
        (true, AbsentLogs.finishedSecondsMax - 1, true), (true, AbsentLogs.finishedSecondsMax, false),
    ])
    func absentLogIsForgottenAfterItsTime(isFinished: Bool, age: Int, isKept: Bool) {
        var logs = AbsentLogs()
        var log = position(inode: 1, "a")
        log.isFinished = isFinished
        logs.insert(log, seconds: 1_000)
        logs.expire(seconds: 1_000 + age)
        #expect(logs.positions.isEmpty == !isKept)
    }

    @Test func oldestAbsentLogsGoFirstWhenThereAreTooMany() {
        var logs = AbsentLogs()
        for number in 0...AbsentLogs.positionsMax {
            logs.insert(position(inode: UInt64(number), "a"), seconds: 1_000)
        }
        #expect(logs.positions.count == AbsentLogs.positionsMax)
        #expect(logs.positions.first?.inode == 1)
    }

    @Test func packedFileOfAnotherLogIsNotTakenForTheOneThatHadItsInode() throws {
        let space = try Workspace()
        try Data(packed("one\ntwo\n")).write(to: URL(filePath: space.path("a.log.1.gz")))
        try Data(packed("six\nten\n")).write(to: URL(filePath: space.path("b.log.1.gz")))
        let (own, other) = (
            try SourceFile(path: space.path("a.log.1.gz")), try SourceFile(path: space.path("b.log.1.gz"))
        )
        for offset in [0, 4, 8] {
            var log = position(inode: own.identity.inode, "")
            log.isCompressed = true
            log.identify(by: try InflatedLog(own).head())
            log.offset = offset
            #expect(try LogReader(source: own, position: log, offset: offset)?.offset == offset)
            #expect(try LogReader(source: other, position: log, offset: offset) == nil)
        }
    }

    @Test func packedLogIsReadOnFromWithinWhatIdentifiesIt() throws {
        let space = try Workspace()
        try Data(packed("one\ntwo\n")).write(to: URL(filePath: space.path("a.log.1.gz")))
        let source = try SourceFile(path: space.path("a.log.1.gz"))
        var log = position(inode: source.identity.inode, "")
        log.isCompressed = true
        log.identify(by: try InflatedLog(source).head())
        log.offset = 4
        let reader = try #require(try LogReader(source: source, position: log, offset: 4))
        var text = ""
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { buffer.deallocate() }
        _ = try reader.read(buffer) { bytes, _ in
            text = String(decoding: bytes, as: UTF8.self)
            return bytes.count
        }
        #expect(text == "two\n")
    }

    @Test func listingNoticesThatARotationRenamedFilesUnderIt() throws {
        let space = try Workspace()
        let log = space.path("a.log")
        try space.write("one\n", to: "a.log.1")
        let listing = FileListing(patterns: [log], rotatedPatterns: [])
        listing.beginLook()
        #expect(listing.rotations(of: log)?.count == 1)
        #expect(listing.isUnchanged(log))
        try space.rename("a.log.1", to: "a.log.2")
        #expect(!listing.isUnchanged(log))
        listing.beginLook()
        #expect(listing.rotations(of: log)?.map(\.path) == [space.path("a.log.2")])
        try space.write("two\n", to: "a.log.1")
        #expect(!listing.isUnchanged(log))
    }

    private func position(inode: UInt64, _ generation: String) -> FilePosition {
        var position = FilePosition(path: "/var/log/a.log", device: 1, inode: inode)
        position.generation = generation
        return position
    }
}
