import CivilTime
import Diagnostics
import Foundation
import Glibc
import Records
import Testing

@testable import sluice

@Suite struct TransformCommandTests {
    private static let line = "Nov 22 20:31:00 web1 drupal: hello"

    @Test func oneRowForEachLineAndTheLastNeedsNoLineFeed() throws {
        for input in ["a\nb\n", "a\nb"] {
            let result = try Program.run(["transform"], input: Data(input.utf8))
            #expect(result.status == 0 && result.errors.isEmpty)
            #expect(try rows(result.output).map { $0["message"] as? String } == ["a", "b"])
        }
        #expect(try Program.run(["transform"]).output.isEmpty)
    }

    @Test func optionsOverrideTheJobFile() throws {
        let job = repository.appendingPathComponent("jobs/drupal-archive.yaml").path
        let plain = try Program.run(
            ["transform", job, "--arrival", "2024-11-23"], input: Data(Self.line.utf8))
        #expect(try rows(plain.output).first?["event_time"] as? String == "2024-11-22T20:31:00Z", "\(plain)")
        let moved = try Program.run(
            ["transform", job, "--arrival", "2023-11-23T00:00:00Z", "--timezone", "Europe/Berlin"],
            input: Data(Self.line.utf8))
        #expect(try rows(moved.output).first?["event_time"] as? String == "2023-11-22T19:31:00Z")
        #expect(try rows(moved.output).first?["arrival_time"] as? String == "2023-11-23T00:00:00Z")
    }

    @Test func readerThatGoesAwayEndsTheProgramQuietly() throws {
        let result = try Program.shell(
            "yes 'a line' | head -c 50000000 | $SLUICE transform | head -1 >/dev/null; echo ${PIPESTATUS[2]}")
        #expect(result.output == "141\n")
        #expect(result.errors.isEmpty)
    }

    @Test func fullDiskIsReported() throws {
        let result = try Program.shell("echo a | $SLUICE transform >/dev/full")
        #expect(result.status == 75)
        #expect(result.errors.hasPrefix("sluice: write to standard output: No space left on device\n  hint: "))
    }

    @Test func inputThatCannotBeReadIsReported() throws {
        let result = try Program.shell("$SLUICE transform < /")
        #expect(result.status == 75)
        #expect(result.errors.hasPrefix("sluice: read standard input: Is a directory\n"))
    }

    @Test func lineThatIsTooLongIsCutAndReported() throws {
        let result = try Program.shell(
            "(echo before; head -c 40000000 /dev/zero | tr '\\0' x; echo; echo after) | $SLUICE transform")
        #expect(result.status == 0)
        let rows = try rows(result.output)
        #expect(rows.count == 3)
        #expect(rows.first?["message"] as? String == "before" && rows.last?["message"] as? String == "after")
        #expect((rows[1]["message"] as? String)?.utf8.count == 65_535)
        #expect((rows[1]["truncated_fields"] as? String)?.contains("message") == true)
        #expect(result.errors.contains("line 2 is longer than 16777216 bytes"))
    }

    /// One byte below, at and above the limit; each in its own run, with a line on both sides.
    @Test(arguments: [-1, 0, 1]) func lineLimitIsExact(offset: Int) throws {
        var input = Data("a\n".utf8)
        input.append(Data(repeating: 0x78, count: TransformPump.lineBytesMax + offset))
        input.append(Data("\nb\n".utf8))
        let (rows, notes) = try pumped(input)
        #expect(rows.count == 3)
        #expect(notes.isEmpty == (offset <= 0))
    }

    /// Any cut of the input into reads gives the same rows.
    @Test func rowsDoNotDependOnHowTheInputArrives() throws {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &generator)
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        var input = Data()
        for _ in 0..<2_000 {
            let length = random.next() % 8 == 0 ? Int(random.next() % 40_000) : Int(random.next() % 200)
            input.append(Data(repeating: UInt8(0x61 + random.next() % 26), count: length))
            input.append(0x0A)
        }
        let (whole, _) = try pumped(input)
        let (pieces, _) = try pumped(input, pieces: { Int(random.next() % 70_000) + 1 })
        #expect(whole.count == 2_000)
        #expect(whole == pieces)
    }

    private func rows(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    /// Runs the pump on a pipe, written in pieces by a thread.
    private func pumped(_ input: Data, pieces: () -> Int = { 1 << 20 }) throws -> (rows: [Data], notes: [String]) {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        var cuts: [Data] = []
        var rest = input[...]
        while !rest.isEmpty {
            cuts.append(Data(rest.prefix(pieces())))
            rest = rest.dropFirst(cuts[cuts.count - 1].count)
        }
        let parts = cuts
        let writer = Thread {
            for part in parts {
                part.withUnsafeBytes { bytes in
                    var done = 0
                    while done < bytes.count {
                        let count = Glibc.write(writing, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                        if count <= 0 { return }
                        done += count
                    }
                }
            }
            close(writing)
        }
        writer.start()
        defer { close(reading) }
        var output = Data()
        let pump = try TransformPump(
            settings: TransformSettings(), arrival: Timestamp(seconds: 1_700_000_000), input: reading,
            write: { output.append(contentsOf: $0) })
        let notes = try pump.run()
        return (output.split(separator: 0x0A).map { Data($0) }, notes)
    }
}

/// A small generator whose seed can be printed and used again.
struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
