import CivilTime
import Diagnostics
import Foundation
import Jobs
import Logging
import Testing

@testable import sluice

@Suite struct OutputTests {
    @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (1_204_331, "1,204,331"), (-12_345, "-12,345")])
    func numbersAreGrouped(number: Int, text: String) { #expect(grouped(number) == text) }

    @Test(arguments: [
        (0.0, "0.0"), (38.24, "38.2"), (38.25, "38.3"), (0.05, "0.1"), (1_234.0, "1,234.0"), (-0.01, "0.0"),
    ])
    func fractionsHaveFixedDecimals(number: Double, text: String) { #expect(fixed(number, decimals: 1) == text) }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
        (45_200_000, "45.2 MB"), (3_000_000_000_000, "3.0 TB"),
    ])
    func bytesHaveTheUnitThatFits(bytes: Int, text: String) { #expect(bytesText(bytes) == text) }

    @Test(arguments: [
        (-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m00s"), (250, "4m10s"), (3_600, "1h00m"), (86_399, "23h59m"),
        (187_200, "2d04h"),
    ])
    func durationsShowTwoUnits(seconds: Int, text: String) { #expect(durationText(.seconds(seconds)) == text) }

    @Test func logLineIsOneLineWhateverTheFieldsHold() throws {
        let time = Timestamp(microseconds: 1_700_000_000_005_999)
        let fields = [("shard", "s-0"), ("why", "a \"b\"\n\u{1B}[2J"), ("empty", ""), ("k", "a=b")]
        #expect(
            LogLine.text(time: time, level: "info", message: "m\rn", fields: fields)
                == #"2023-11-14T22:13:20.005Z info m\u{d}n shard=s-0 why="a \"b\"\\u{a}\\u{1b}[2J" empty="" k="a=b""#)
        let json = LogLine.json(time: time, level: "info", message: "m\rn", fields: fields + [("level", "forged")])
        #expect(!json.contains("\n"))
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
        #expect(object?["why"] == "a \"b\"\n\u{1B}[2J" && object?["level"] == "info")
    }

    @Test func progressLineTellsRateLagAndTheTimeLeft() {
        var line = ProgressLine()
        var snapshot = ProgressSnapshot()
        snapshot.shardsTotal = 4
        snapshot.lag = .seconds(600)
        #expect(line.text(snapshot) == "0/4 shards  0 records  0.0 MB/s  lag 10m00s")
        snapshot.elapsed = .seconds(10)
        snapshot.records = 1_204_331
        snapshot.recordBytes = 382_000_000
        snapshot.lag = .seconds(200)
        snapshot.shardsDone = 1
        #expect(line.text(snapshot) == "1/4 shards  1,204,331 records  38.2 MB/s  lag 3m20s  ETA 5s")
        // The stream grows faster than it is read: no promise.
        snapshot.lag = .seconds(700)
        #expect(line.text(snapshot) == "1/4 shards  1,204,331 records  38.2 MB/s  lag 11m40s")
        snapshot.records = .max
        snapshot.recordBytes = .max
        #expect(line.text(snapshot).count <= ProgressLine.widthMax)
    }

    @Test func consoleTakesTheProgressLineAwayBeforeALogLine() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("err", "")
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let console = Console(descriptor: file.fileDescriptor)
        console.line("first")
        console.draw("1/4 shards")
        console.draw("2/4 shards")
        console.line("second")
        console.clear()
        console.draw("3/4 shards")
        console.clear()
        console.clear()
        let clear = "\r\u{1B}[K"
        #expect(
            try String(contentsOfFile: path, encoding: .utf8)
                == "first\n\(clear)1/4 shards\(clear)2/4 shards\(clear)second\n\(clear)3/4 shards\(clear)")
        #expect(!console.isTerminal(term: "xterm"))
    }

    /// Drawn at most five times a second, however many snapshots come, and never without a terminal.
    @Test func progressIsDrawnAtMostFiveTimesASecond() async throws {
        for (shows, expected) in [(true, 2), (false, 0)] {
            let directory = try TemporaryDirectory()
            let path = try directory.write("err", "")
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            let clock = HandClock()
            let console = Console(descriptor: file.fileDescriptor)
            let events = ConsoleEvents(
                logger: Logger(label: "test"), console: console, time: clock, showsProgress: shows)
            for _ in 0..<100 {
                events.progress(ProgressSnapshot())
                clock.advance(3_999_999)
            }
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.components(separatedBy: "shards").count - 1 == expected)
        }
    }
}
