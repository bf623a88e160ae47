// Fluentd's position files, and what becomes of each position.

import Diagnostics
import Foundation
import Testing

@testable import Jobs

@Suite struct PositionListTests {
    private func list(_ text: String, keyedByInode: Bool = false) -> FluentdPositionList {
        FluentdPositionList(Array(text.utf8), path: "p", modified: 7, keyedByInode: keyedByInode)
    }

    @Test func linesAreReadAsFluentdWritesThem() {
        let read = list(
            "/var/log/a.log\t00000000000000a8\t0000000000f7a524\n/b c\tffffffffffffffff\t0000000000000001\n\n"
                + "/old\t000000000000000A\t0000000f\n/new\t0000000000000000\t0000000000000000\n/last\t1\t2")
        #expect(read.problems.isEmpty && read.modified == 7)
        #expect(read.positions.map(\.path) == ["/var/log/a.log", "/b c", "/old", "/new", "/last"])
        #expect(read.positions.map(\.offset) == [168, nil, 10, 0, 1])
        #expect(read.positions.map(\.inode) == [0xf7a524, 1, 15, 0, 2])
        #expect(read.positions.map(\.place.line) == [1, 2, 4, 5, 6])
    }

    @Test(arguments: [
        "/a", "/a\t00", "/a\t00\t00\t00", "\t00\t00", "/a\t0g\t00", "/a\t\t00", "/a\t00\t", "/a 00 00",
        "/a\t00000000000000001\t00", "/a\t8000000000000000\t00", "/a\t+1\t00", "/a\t00\t00\r",
    ])
    func damagedLineIsToldWithItsNumberAndTheOthersAreRead(line: String) {
        let read = list("/x\t0000000000000001\t0000000000000002\n\(line)\n/y\t0000000000000003\t0000000000000004\n")
        #expect(read.positions.map(\.path) == ["/x", "/y"])
        #expect(read.problems.map(\.place) == [FluentdPlace(file: "p", line: 2)])
    }

    @Test func lastLineOfAPathCounts() {
        let text = "/a\t01\t0a\n/b\t02\t0b\n/a\t03\t0c\n"
        #expect(list(text).positions.map { "\($0.path) \($0.offset ?? -1) \($0.inode)" } == ["/a 3 12", "/b 2 11"])
        #expect(list(text, keyedByInode: true).positions.map(\.inode) == [10, 11, 12])
        #expect(list("/a\t01\t0a\n/a\t05\t0a\n", keyedByInode: true).positions.map(\.offset) == [5])
    }
}

@Suite struct TakeoverTests {

    private func facts(inode: UInt64, size: Int) -> FileFacts {
        var status = stat()
        status.st_ino = UInt(inode)
        status.st_size = size
        status.st_mode = S_IFREG
        return FileFacts(status)
    }

    private func takeover(
        offset: Int?, inode: UInt64, current: (UInt64, Int)?, rotations: [(String, UInt64, Int)] = [],
        lineStart: Int? = nil
    ) -> FluentdTakeover {
        let position = FluentdPosition(
            path: "/l/a.log", offset: offset, inode: inode, place: FluentdPlace(file: "p", line: 1))
        return FluentdTakeover(
            position, current: current.map { facts(inode: $0.0, size: $0.1) },
            rotations: rotations.map { ListedFile(path: "/l/\($0.0)", facts: facts(inode: $0.1, size: $0.2)) },
            lineStart: { _, offset in lineStart ?? offset })
    }

    @Test func fileOfThatInodeGoesOnAtThePosition() {
        #expect(
            takeover(offset: 10, inode: 5, current: (5, 30))
                == .resume(path: "/l/a.log", offset: 10, back: 0, isRotated: false))
        #expect(
            takeover(offset: 30, inode: 5, current: (5, 30))
                == .resume(path: "/l/a.log", offset: 30, back: 0, isRotated: false))
        #expect(
            takeover(offset: 10, inode: 5, current: (5, 30), lineStart: 4)
                == .resume(path: "/l/a.log", offset: 4, back: 6, isRotated: false))
    }

    @Test func rotatedFileGoesOnUnderItsNewName() {
        #expect(
            takeover(offset: 10, inode: 5, current: (6, 3), rotations: [("a.log.2", 4, 99), ("a.log.1", 5, 30)])
                == .resume(path: "/l/a.log.1", offset: 10, back: 0, isRotated: true))
        #expect(
            takeover(offset: 10, inode: 5, current: nil, rotations: [("a.log.1", 5, 30)])
                == .resume(path: "/l/a.log.1", offset: 10, back: 0, isRotated: true))
    }

    @Test func shorterFileWasTruncated() { #expect(takeover(offset: 31, inode: 5, current: (5, 30)) == .truncated) }

    @Test func fileThatIsNotFoundLeavesWhatCameAfterIt() {
        #expect(takeover(offset: 10, inode: 5, current: (6, 3)) == .successors)
        #expect(takeover(offset: 10, inode: 5, current: nil, rotations: [("a.log.1", 6, 30)]) == .successors)
        // Shorter than the position, or compressed: the number is a coincidence.
        #expect(takeover(offset: 31, inode: 5, current: (6, 3), rotations: [("a.log.1", 5, 30)]) == .successors)
        #expect(takeover(offset: 10, inode: 5, current: (6, 3), rotations: [("a.log.1.gz", 5, 30)]) == .successors)
    }

    @Test func nothingIsTakenOverWithoutAFile() {
        #expect(takeover(offset: nil, inode: 5, current: (5, 30)) == .nothing(.unwatched))
        #expect(takeover(offset: 0, inode: 0, current: (5, 30)) == .nothing(.neverRead))
        #expect(takeover(offset: 10, inode: 5, current: nil) == .nothing(.gone))
    }
}

/// On real files.
@Suite struct PositionImportTests {
    private let folder: TemporaryFolder
    private let job: ShipJobFile

    init() throws {
        folder = try TemporaryFolder()
        let text = """
            job: ship
            name: web
            files: ["\(folder.path)/*.log"]
            start: tail
            destination: {stream: s, region: us-east-1}
            state: {directory: \(folder.path)/state}
            """
        guard case .ship(let file) = try JobFileLoader.parse(Array(text.utf8), path: "j", environment: [:]) else {
            throw CancellationError()
        }
        job = file
    }

    private func position(_ name: String, _ offset: Int, inode: UInt64? = nil) throws -> FluentdPosition {
        let path = "\(folder.path)/\(name)"
        let own = FileFacts(path: path)?.inode
        return FluentdPosition(
            path: path, offset: offset, inode: try #require(inode ?? own), place: FluentdPlace(file: "p", line: 1))
    }

    @Test func positionIsSavedWithTheIdentityOfItsFile() throws {
        let content = String(repeating: "line of some length\n", count: 200)
        try folder.write("a.log", content)
        var positions = FluentdPositionImport(job: job)
        let here = try position("a.log", 0)
        #expect(positions.owns(here) && !positions.owns(here.at("/else/a.log")))
        try positions.add(try position("a.log", 400), writtenAt: 1)
        try positions.checkState()
        try positions.save()
        let saved = try PositionFile(directory: job.stateDirectory).load(job: "web", stream: "s").files
        let file = try #require(saved.first)
        #expect(file.since == 0)
        #expect(saved.count == 1 && file.offset == 400 && file.path == "\(folder.path)/a.log" && file.tail.bytes == 256)
        let continuity = try FileContinuity(file, size: content.utf8.count) { (offset, count) throws(ShipError) in
            Array(Array(content.utf8)[offset..<offset + count])
        }
        #expect(continuity == .same && file.generation.count == 8 && file.isPlausible)
    }

    @Test func positionInsideALineGoesBackToItsStart() throws {
        try folder.write("a.log", "first\nsecond\nthird\n")
        var positions = FluentdPositionImport(job: job)
        try positions.add(try position("a.log", 9), writtenAt: 1)
        #expect(
            positions.entries.map(\.takeover) == [
                .resume(path: "\(folder.path)/a.log", offset: 6, back: 3, isRotated: false)
            ])
        let entry = try #require(positions.entries.first)
        #expect(entry.takeover.text(entry.position).contains("3 bytes before"))
        try positions.add(try position("a.log", 3), writtenAt: 1)
        #expect(positions.files.map(\.offset) == [6, 0])
    }

    @Test func longLineIsSearchedBlockByBlock() throws {
        try folder.write("a.log", "x\n" + String(repeating: "y", count: 200_000) + "\n")
        var positions = FluentdPositionImport(job: job)
        try positions.add(try position("a.log", 150_000), writtenAt: 1)
        #expect(positions.files.map(\.offset) == [2])
    }

    @Test func rotatedFileKeepsThePathOfItsLog() throws {
        try folder.write("a.log.1", "old\nmore\n")
        try folder.write("a.log", "new\n")
        let inode = try #require(FileFacts(path: "\(folder.path)/a.log.1")?.inode)
        var positions = FluentdPositionImport(job: job)
        try positions.add(try position("a.log", 4, inode: inode), writtenAt: 1)
        let file = try #require(positions.files.first)
        #expect(file.path == "\(folder.path)/a.log" && file.inode == inode && file.offset == 4)
        #expect(file.since == file.modifiedSeen)
    }

    @Test func truncatedFileIsReadFromItsHeadAlsoWithStartTail() throws {
        try folder.write("a.log", "new\n")
        var positions = FluentdPositionImport(job: job)
        try positions.add(try position("a.log", 400), writtenAt: 77)
        #expect(positions.entries.map(\.takeover) == [.truncated])
        let former = try #require(positions.files.first)
        // Of no file: so the one that is there is new, whatever `start` says.
        #expect(former.path == "\(folder.path)/a.log" && former.device == 0 && former.offset == 0 && former.since == 77)
    }

    @Test func emptyFileIsTakenOverAtItsHead() throws {
        try folder.write("a.log", "")
        var positions = FluentdPositionImport(job: job)
        try positions.add(try position("a.log", 0), writtenAt: 1)
        try positions.save()
        #expect(try PositionFile(directory: job.stateDirectory).load(job: "web", stream: "s").files.count == 1)
    }

    @Test func positionsThatAreThereAreNotTouched() throws {
        try folder.write("a.log", "x\n")
        var positions = FluentdPositionImport(job: job)
        try positions.add(try position("a.log", 2), writtenAt: 1)
        try positions.save()
        let before = try Data(contentsOf: URL(filePath: "\(job.stateDirectory)/positions.json"))
        for attempt in [{ try positions.checkState() }, { try positions.save() }] {
            let error = #expect(throws: ShipError.self) { try attempt() }
            #expect(error?.exitCode == .stateOrIdentity)
        }
        #expect(try Data(contentsOf: URL(filePath: "\(job.stateDirectory)/positions.json")) == before)
        try FileManager.default.removeItem(atPath: "\(job.stateDirectory)/positions.json")
        try Data("{}".utf8).write(to: URL(filePath: "\(job.stateDirectory)/positions.json.previous"))
        #expect(throws: ShipError.self) { try positions.checkState() }
    }
}

extension FluentdPosition {
    fileprivate func at(_ path: String) -> FluentdPosition {
        var copy = self
        copy.path = path
        return copy
    }
}
