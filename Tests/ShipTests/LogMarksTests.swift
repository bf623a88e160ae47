// Which moments of a log are remembered, and what they say of a copy.
import Foundation
import State
import Testing

@testable import Jobs

@Suite struct LogMarksTests {
    private func mark(_ offset: Int, size: Int? = nil, at modified: Int = 0) -> LogMark {
        LogMark(offset: offset, size: size ?? offset, modified: modified, before: Array("text".utf8))
    }

    @Test func firstAndLastMarksStayAndTheOthersGetThinnerWithTheirDistance() {
        var marks = LogMarks()
        for number in 1...200 {
            marks.add(mark(100 * number))
            #expect(marks.marks.count <= LogMarks.countMax)
            #expect(marks.marks.first?.offset == 100)
            #expect(
                marks.marks.suffix(2).map(\.offset)
                    == [max(100, 100 * number - 100), 100 * number].suffix(min(2, number)))
        }
        let gaps = zip(marks.marks, marks.marks.dropFirst()).map { $1.offset - $0.offset }
        #expect(gaps.dropFirst().elementsEqual(gaps.dropFirst().sorted(by: >)), "\(gaps)")
        #expect(marks.isPlausible)
    }

    @Test func markAtAPlaceThatWasReadAnewReplacesAllFromThereOn() {
        var marks = LogMarks()
        for offset in [100, 200, 300] { marks.add(mark(offset)) }
        marks.add(mark(200, size: 250))
        #expect(marks.marks == [mark(100), mark(200, size: 250)])
    }

    /// The log had 100 bytes in second 10 and 300 in second 20.
    @Test(arguments: [
        // While it grew from 100 to 300.
        (200, 10.0, true), (200, 15.0, true), (200, 20.0, true),
        // Before and after that; the clock's own coarseness is let through.
        (200, 9.5, false), (200, 20.5, false), (200, 9.99, true), (200, 20.01, true),
        // Never 100 bytes after the second write.
        (100, 12.0, true), (100, 20.5, false), (50, 10.0, true), (50, 10.5, false),
        // As long as it was seen, or longer: then it is not shorter than what was shipped.
        (300, 20.0, false), (400, 20.0, false),
    ])
    func copyFitsWhenItsTimeIsThatOfItsLength(length: Int, seconds: Double, fits: Bool) {
        var marks = LogMarks()
        marks.add(mark(100, at: 10_000_000_000))
        marks.add(mark(300, at: 20_000_000_000))
        #expect(marks.allowCopy(length: length, modified: Int(seconds * 1e9)) == fits)
    }

    @Test func nothingFitsALogOfWhichNoMomentIsKnown() {
        #expect(!LogMarks().allowCopy(length: 0, modified: 0))
        #expect(!LogMarks().allowCopy(modified: 0))
    }

    @Test func markComparesTheLastBytesBeforeItsPlace() {
        let bytes = (0..<200).map { UInt8($0) }
        let mark = LogMark(offset: 200, size: 200, modified: 0, before: bytes)
        #expect(mark.fits(bytes))
        #expect(mark.fits(bytes.suffix(LogMark.bytesMax)))
        #expect(!mark.fits(bytes.dropLast()))
    }

    @Test func marksComeThroughThePositionFileAndFormat2HasNone() throws {
        let space = try Workspace()
        try StateDirectory(space.path("state")).prepare()
        let file = PositionFile(directory: space.path("state"))
        var position = FilePosition(path: "/var/log/drupal.log", device: 1, inode: 2)
        position.identify(by: LogHead(start: 0, bytes: [UInt8](repeating: 0x61, count: 100)))
        try file.save(ShipPositions(job: "ship", stream: "s", files: [position]))
        let older = try String(contentsOfFile: file.path, encoding: .utf8)
            .replacing("\"format_version\":3", with: "\"format_version\":2")
        #expect(!older.contains("marks"))
        try Data(older.utf8).write(to: URL(filePath: file.path))
        #expect(try space.positions.files == [position])
        position.marks.add(mark(100, size: 120, at: 7))
        try file.save(ShipPositions(job: "ship", stream: "s", files: [position]))
        #expect(try space.positions.files == [position])
        #expect(try String(contentsOfFile: file.path, encoding: .utf8).contains("\"marks\":[[100,120,7,\""))
    }
}
