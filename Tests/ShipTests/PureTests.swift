// The parts of `ship` that decide: framing, batches, keys, delays, file identity.
import AWS
import Testing

@testable import Jobs

@Suite struct LineFramerTests {
    /// Everything the framer gives for `chunks`.
    private func frame(_ chunks: [[UInt8]], offset: Int = 0, max: Int = 10) -> (lines: [FramedLine], waiting: Int) {
        var framer = LineFramer(offset: offset, lineBytesMax: max)
        var lines: [FramedLine] = []
        for chunk in chunks {
            framer.append(chunk)
            while let line = framer.next() { lines.append(line) }
        }
        return (lines, framer.waitingBytes)
    }

    @Test(arguments: [
        ("a\nbc\n", ["a", "bc"], 0), ("a\nbc", ["a"], 2), ("\n\n", ["", ""], 0), ("", [], 0), ("abc", [], 3),
        ("0123456789\n", ["0123456789"], 0), ("0123456789", [], 10), ("0123456789a\n", ["0123456789", "a"], 0),
        ("0123456789a", ["0123456789"], 1), ("a\r\n", ["a\r"], 0), ("a\u{0}b\n", ["a\u{0}b"], 0),
        ("0123456789012345678901234\n", ["0123456789", "0123456789", "01234"], 0),
    ])
    func wholeLinesComeOutAndTheRestWaits(text: String, expected: [String], waiting: Int) {
        let (lines, left) = frame([Array(text.utf8)])
        #expect(lines.map { String(decoding: $0.bytes, as: UTF8.self) } == expected)
        #expect(left == waiting)
    }

    @Test func offsetsLeadFromOneRecordToTheNext() {
        let (lines, _) = frame([Array("a\n0123456789abc\nd\n".utf8)], offset: 100)
        #expect(lines.map(\.offset) == [100, 102, 112, 116])
        #expect(lines.map(\.end) == [102, 112, 116, 118])
        #expect(lines.map(\.isCut) == [false, true, false, false])
    }

    @Test(arguments: [
        ("1234567é890", "1234567é8"), ("12345678é90", "12345678é"), ("123456789é0", "123456789"),
        ("1234567€90", "1234567€"), ("12345678€0", "12345678"), ("1234567😀0", "1234567"), ("123456😀0", "123456😀"),
    ])
    func cutFallsBetweenCharacters(text: String, first: String) {
        let (lines, _) = frame([Array(text.utf8) + Array(repeating: 0x78, count: 10) + [0x0A]])
        #expect(String(decoding: lines[0].bytes, as: UTF8.self) == first)
    }

    @Test func bytesThatAreNotUTF8AreCutAtTheLimit() {
        let (lines, _) = frame([[UInt8](repeating: 0x80, count: 25) + [0x0A]])
        #expect(lines.map(\.bytes.count) == [10, 10, 5])
    }

    @Test(arguments: 1...200)
    func chunkBordersAndRestartsChangeNothing(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let alphabet = Array("ab\n\né€😀".utf8) + [0xFF]
        let input = (0..<Int.random(in: 0...300, using: &random)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
        }
        let whole = frame([input])
        var chunks: [[UInt8]] = []
        var rest = input[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(20, rest.count), using: &random)
            chunks.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        #expect(frame(chunks).lines == whole.lines, "seed \(seed)")
        // Put together again, the records and what waits are the input.
        var joined: [UInt8] = []
        for line in whole.lines { joined += line.bytes + (line.isCut ? [] : [0x0A]) }
        #expect(joined + input.suffix(whole.waiting) == input, "seed \(seed)")
        for (index, line) in whole.lines.enumerated() {
            let again = frame([Array(input[line.offset...])], offset: line.offset)
            #expect(again.lines == Array(whole.lines[index...]), "seed \(seed) restart at \(line.offset)")
        }
    }
}

@Suite struct ShipBatchTests {
    private func record(_ size: Int, offset: Int = 0) -> ShipRecord {
        ShipRecord(
            data: [UInt8](repeating: 1, count: size - 1), partitionKey: "k", offset: offset, end: offset + size)
    }

    private func batch(_ count: Int) -> ShipBatch {
        var batch = ShipBatch()
        for i in 0..<count { batch.append(record(10, offset: i * 10)) }
        return batch
    }

    /// The answer to `count` records of which those at `failed` were not stored.
    private func answer(_ count: Int, failed: [Int] = []) -> PutRecordsAnswer {
        PutRecordsAnswer(
            storedCount: count - failed.count,
            failures: failed.map { PutRecordsAnswer.Failure(index: $0, code: "InternalFailure", message: "") })
    }

    @Test func recordNumber501DoesNotFit() {
        #expect(batch(499).fits(record(10)))
        #expect(!batch(500).fits(record(10)))
    }

    @Test func byteLimitCountsDataAndKeys() {
        var batch = ShipBatch()
        for _ in 0..<4 { batch.append(record(1 << 20)) }
        #expect(batch.fits(record(1 << 20)))
        #expect(!batch.fits(record(1 << 20 + 1)))
        batch.append(record(1 << 20))
        #expect(batch.bytes == ShipBatch.bytesMax)
        #expect(!batch.fits(record(1)))
    }

    @Test func onlyFailedRecordsStayAndTheOffsetStopsAtTheFirst() {
        var pending = batch(4)
        #expect(pending.acknowledgedOffset == 0)
        #expect(
            pending.settle(answer(4, failed: [1, 3]))
                == ShipBatch.Settlement(stored: 2, failures: ["InternalFailure": 2]))
        #expect(pending.records.map(\.offset) == [10, 30])
        #expect(pending.bytes == 20)
        #expect(pending.acknowledgedOffset == 10)
        // The later one goes first: the hole at 10 still holds the offset back.
        _ = pending.settle(answer(2, failed: [0]))
        #expect(pending.acknowledgedOffset == 10)
        _ = pending.settle(answer(1))
        #expect(pending.isEmpty)
    }

    @Test func offsetPassesEverythingOnceAllIsStored() {
        var whole = batch(4)
        _ = whole.settle(answer(4))
        #expect(whole.acknowledgedOffset == 40)
        var holed = batch(4)
        _ = holed.settle(answer(4, failed: [1]))
        _ = holed.settle(answer(1))
        #expect(holed.acknowledgedOffset == 40)
    }
}

@Suite struct DelayAndKeyTests {
    @Test func delaysStayBetweenTheirBoundsAndGrow() {
        for seed in 1...50 {
            var random = SeededRandom(seed: UInt64(seed))
            var jitter = DecorrelatedJitter()
            var previous = 0.1
            for _ in 0..<100 {
                let delay = jitter.next(random: Double.random(in: 0..<1, using: &random)) / .seconds(1)
                #expect(delay >= 0.0999 && delay <= min(20, previous * 3) + 0.0001, "seed \(seed)")
                previous = delay
            }
        }
        var jitter = DecorrelatedJitter()
        for _ in 0..<20 { _ = jitter.next(random: 0.999) }
        #expect(jitter.next(random: 0.999) > .seconds(19))
        jitter.reset()
        #expect(jitter.next(random: 0.999) < .milliseconds(310))
    }

    @Test(arguments: [
        ("web1", "drupal.log", "web1/drupal.log/0a1b2c3d/42"), ("web/1", "a b", "web_1/a_b/0a1b2c3d/42"),
        ("", "é", "_/__/0a1b2c3d/42"),
    ])
    func sourceKeyHasFourPlainParts(host: String, file: String, key: String) {
        #expect(SourceKey(host: host, file: file, generation: "0a1b2c3d").key(offset: 42) == key)
    }

    @Test func sourceKeyStaysWithinKinesisLimit() {
        let long = String(repeating: "x", count: 255)
        let key = SourceKey(host: long, file: long, generation: "0a1b2c3d").key(offset: Int.max)
        #expect(key.utf8.count <= 256)
    }

    @Test func generationDependsOnIdentityAndContent() {
        func generation(_ device: UInt64, _ inode: UInt64, _ text: String) -> String {
            var position = FilePosition(
                path: "", name: "", device: device, inode: inode, generation: "", head: Fingerprint([]), offset: 0,
                tail: Fingerprint([]), sizeSeen: 0)
            position.identify(by: Array(text.utf8))
            return position.generation
        }
        let first = generation(1, 2, "line")
        #expect(first.count == 8)
        #expect(first == generation(1, 2, "line"))
        #expect(Set([first, generation(2, 2, "line"), generation(1, 3, "line"), generation(1, 2, "lime")]).count == 4)
        #expect(generation(1, 2, "") == "")
        let long = String(repeating: "x", count: 1_024)
        #expect(generation(1, 2, long) == generation(1, 2, long + "y"))
    }
}
