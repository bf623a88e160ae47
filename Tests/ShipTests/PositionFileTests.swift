// The position file: whole at every moment, never ahead, and the copy before it when it is damaged.
import Diagnostics
import Foundation
import State
import Testing

@testable import Jobs

@Suite struct PositionFileTests {
    private static let effects: [Failpoint] = [
        .shipPositionsWriteBefore, .shipPositionsWriteAfter, .shipPositionsKeepBefore, .shipPositionsKeepAfter,
        .shipPositionsRenameBefore, .shipPositionsRenameAfter, .shipPositionsSyncAfter,
    ]

    private func positions(_ offset: Int) -> ShipPositions {
        var file = FilePosition(path: "/var/log/drupal.log", device: 1, inode: 2)
        file.identify(by: LogHead(start: 0, bytes: [UInt8](repeating: 0x61, count: 100)))
        file.offset = offset
        return ShipPositions(job: "ship", stream: "s", files: [file])
    }

    private func load(_ space: Workspace, warn: (String) -> Void = { _ in }) throws -> Int? {
        try PositionFile(directory: space.path("state")).load(job: "ship", stream: "s", warn: warn).files.first?.offset
    }

    private func prepared() throws -> (Workspace, PositionFile) {
        let space = try Workspace()
        try StateDirectory(space.path("state")).prepare()
        return (space, PositionFile(directory: space.path("state")))
    }

    @Test(arguments: effects) func failureAtAnyEffectLeavesTheOldOrTheNewPositions(point: Failpoint) throws {
        let (space, file) = try prepared()
        try file.save(positions(10))
        try file.save(positions(20))
        let failing = PositionFile(
            directory: space.path("state"), failpoints: try Failpoints(specification: "\(point.rawValue)=error"))
        #expect(throws: InjectedFault.self) { try failing.save(positions(30)) }
        var warnings: [String] = []
        let offset = try load(space) { warnings.append($0) }
        let isDone = point == .shipPositionsRenameAfter || point == .shipPositionsSyncAfter
        #expect(offset == (isDone ? 30 : 20) && warnings.isEmpty)
        try file.save(positions(40))
        #expect(try load(space) == 40)
    }

    @Test func firstSaveNeedsNoCopyBeforeIt() throws {
        let (space, file) = try prepared()
        try file.save(positions(10))
        #expect(try load(space) == 10)
        #expect(!FileManager.default.fileExists(atPath: file.previousPath))
        try file.save(positions(20))
        #expect(FileManager.default.fileExists(atPath: file.previousPath))
    }

    @Test func anyCutOrFlippedByteGivesWayToTheCopyBefore() throws {
        let (space, file) = try prepared()
        try file.save(positions(10))
        try file.save(positions(20))
        let good = try Data(contentsOf: URL(filePath: file.path))
        for place in stride(from: 0, to: good.count, by: 7) {
            var flipped = good
            flipped[place] ^= 1
            for damaged in [flipped, good.prefix(place)] where damaged != good {
                try damaged.write(to: URL(filePath: file.path))
                var warnings: [String] = []
                do {
                    let offset = try load(space) { warnings.append($0) }
                    #expect(offset == 10 && warnings.count == 1, "byte \(place)")
                } catch let error as ShipError {
                    // A flip may make another job, stream or version of it: then nothing is guessed.
                    #expect(error.exitCode == .stateOrIdentity, "byte \(place)")
                }
            }
        }
        try FileManager.default.removeItem(atPath: file.path)
        #expect(try load(space) == 10)
    }

    @Test func bothDamagedAreRefusedAndStay() throws {
        let (space, file) = try prepared()
        try file.save(positions(10))
        try file.save(positions(20))
        for path in [file.path, file.previousPath] { try Data("{".utf8).write(to: URL(filePath: path)) }
        #expect(throws: ShipError.self) { try load(space) }
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == "{")
    }

    @Test func newerVersionIsRefusedAlthoughTheCopyBeforeItIsGood() throws {
        let (space, file) = try prepared()
        try file.save(positions(10))
        try file.save(positions(20))
        try Data(#"{"format_version": 4, "files": "other"}"#.utf8).write(to: URL(filePath: file.path))
        #expect {
            try load(space)
        } throws: { error in
            (error as? ShipError)?.diagnostic.cause.contains("has format 4") == true
        }
    }
}
