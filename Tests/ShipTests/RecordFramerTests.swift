// Cutting a log into records: lines, header-less lines, NULs, long lines, and that chunks and restarts change nothing.
import Testing

@testable import Jobs

@Suite struct RecordFramerTests {
    struct Framed: Equatable {
        var offset: Int
        var end: Int
        var lines: Int
        var bytes: [UInt8]
        var isPiece: Bool
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    struct Result {
        var records: [Framed] = []
        /// Bytes that were taken.
        var taken = 0
        var counts = FramingCounts()
        var state = FramerState()
    }

    static func rules(max: Int = 20, joins: Bool = false, cuts: Bool = false) -> FramingRules {
        FramingRules(recordBytesMax: max, joins: joins, cutsLongLines: cuts, needsStarts: false)
    }

    /// Frames `input` as if it came in pieces that end at `ends`; what a piece leaves comes again with the next one.
    static func frame(
        _ input: [UInt8], ends: [Int] = [], from start: Int = 0, state: FramerState = FramerState(),
        rules: FramingRules, last: FramingEnd = .quiet
    ) -> Result {
        let framer = RecordFramer(rules: rules)
        var result = Result(taken: start, state: state)
        for end in ends.filter({ $0 > start }) + [input.count] {
            input.withUnsafeBytes { bytes in
                let piece = UnsafeRawBufferPointer(rebasing: bytes[result.taken..<max(end, result.taken)])
                result.taken += framer.frame(
                    piece, offset: result.taken, end: end == input.count ? last : .more, state: &result.state,
                    counts: &result.counts
                ) { record, data in
                    let marked = Array(data) + (record.isCut ? FramingRules.cutMark : [])
                    result.records.append(
                        Framed(
                            offset: record.offset, end: record.end, lines: record.lines, bytes: marked,
                            isPiece: record.isPiece))
                }
            }
        }
        return result
    }

    @Test(arguments: [
        ("a\nbc\n", ["a", "bc"], 0), ("a\nbc", ["a"], 2), ("\n\n", ["", ""], 0), ("", [], 0), ("abc", [], 3),
        ("01234567890123456789\n", ["01234567890123456789"], 0), ("01234567890123456789", [], 20),
        ("01234567890123456789a\n", ["01234567890123456789", "a"], 0),
        ("01234567890123456789a", ["01234567890123456789"], 1), ("a\r\n", ["a\r"], 0),
        ("a\u{0}b\n", ["a\u{0}b"], 0),
    ])
    func wholeLinesComeOutAndTheRestWaits(text: String, expected: [String], waiting: Int) {
        let result = Self.frame(Array(text.utf8), rules: Self.rules())
        #expect(result.records.map(\.text) == expected)
        #expect(text.utf8.count - result.taken == waiting)
    }

    @Test func lastLineWithoutLineFeedComesOutWhenTheLogIsFinished() {
        let result = Self.frame(Array("a\nbc".utf8), rules: Self.rules(), last: .finished)
        #expect(result.records.map(\.text) == ["a", "bc"])
        #expect(result.records.map(\.end) == [2, 4])
    }

    @Test func offsetsLeadFromOneRecordToTheNext() {
        let text = "a\n01234567890123456789abc\nd\n"
        let result = Self.frame(Array(text.utf8), rules: Self.rules())
        #expect(result.records.map(\.offset) == [0, 2, 22, 26])
        #expect(result.records.map(\.end) == [2, 22, 26, 28])
        #expect(result.records.map(\.lines) == [1, 1, 0, 1])
        #expect(result.records.map(\.isPiece) == [false, true, true, false])
        #expect(result.counts.linesSplit == 1)
    }

    @Test(arguments: [
        ("12345678901234567é890", "12345678901234567é8"), ("123456789012345678é90", "123456789012345678é"),
        ("1234567890123456789é0", "1234567890123456789"), ("12345678901234567€90", "12345678901234567€"),
        ("123456789012345678€0", "123456789012345678"), ("1234567890123456😀0", "1234567890123456😀"),
    ])
    func piecesOfALongLineEndBetweenCharacters(text: String, first: String) {
        let result = Self.frame(
            Array(text.utf8) + Array(repeating: 0x78, count: 10) + [0x0A], rules: Self.rules())
        #expect(result.records.first?.text == first)
    }

    @Test func bytesThatAreNotUTF8ArePiecedAtTheLimit() {
        let result = Self.frame([UInt8](repeating: 0x80, count: 45) + [0x0A], rules: Self.rules())
        #expect(result.records.map(\.bytes.count) == [20, 20, 5])
    }

    @Test func cutLineHasAMarkAndItsRestIsCounted() {
        let line = String(repeating: "x", count: 50)
        let result = Self.frame(Array("a\n\(line)\nb\n".utf8), ends: [30, 40], rules: Self.rules(cuts: true))
        #expect(result.records.map(\.text) == ["a", String(repeating: "x", count: 14) + " [cut]", "b"])
        #expect(result.counts.linesCut == 1 && result.counts.bytesCut == 36)
        #expect(result.taken == 55)
    }

    @Test(arguments: [
        ("\u{0}\u{0}\u{0}a\n", ["a"], 3), ("a\n\u{0}\u{0}b\n", ["a", "b"], 2), ("\u{0}\u{0}", [], 2),
        ("a\n\u{0}\n", ["a", ""], 1), ("a\u{0}\n", ["a\u{0}"], 0),
    ])
    func runsOfNULAtTheStartOfALineAreSkippedAndCounted(text: String, expected: [String], skipped: Int) {
        let result = Self.frame(Array(text.utf8), rules: Self.rules())
        #expect(result.records.map(\.text) == expected)
        #expect(result.counts.nulBytesSkipped == skipped)
        #expect(result.taken == text.utf8.count)
    }

    static let header = "Nov 27 22:00:00 web1 drupal: "

    @Test func headerlessLinesJoinTheRecordBeforeThem() {
        let text = "\(Self.header)one\n#0 trace\n\n#1 more\n\(Self.header)two\nloose\n"
        let result = Self.frame(Array(text.utf8), rules: Self.rules(max: 1_000, joins: true))
        #expect(result.records.map(\.text) == ["\(Self.header)one\n#0 trace\n\n#1 more", "\(Self.header)two\nloose"])
        #expect(result.records.map(\.lines) == [4, 2])
        let apart = Self.frame(Array(text.utf8), rules: Self.rules(max: 1_000))
        #expect(apart.records.count == 6)
    }

    @Test func linesOfALogWithoutHeadersStayApart() {
        let result = Self.frame(Array("one\ntwo\nthree\n".utf8), rules: Self.rules(max: 1_000, joins: true))
        #expect(result.records.map(\.text) == ["one", "two", "three"])
    }

    @Test func recordThatCouldGoOnWaitsUntilTheFileIsQuiet() {
        let text = Array("\(Self.header)one\n\(Self.header)two\n".utf8)
        let waiting = Self.frame(text, rules: Self.rules(max: 1_000, joins: true), last: .more)
        #expect(waiting.records.map(\.text) == ["\(Self.header)one"])
        let quiet = Self.frame(text, rules: Self.rules(max: 1_000, joins: true), last: .quiet)
        #expect(quiet.records.count == 2)
    }

    @Test func joiningEndsWhereTheArchiverWouldSplitAgain() {
        let long = String(repeating: "x", count: 1_000)
        let text = Array((Self.header + "\n" + String(repeating: long + "\n", count: 100)).utf8)
        let result = Self.frame(text, rules: Self.rules(max: 1 << 20, joins: true))
        #expect(result.records[0].bytes.count <= FramingRules.joinedBytesMax)
        #expect(result.records[0].bytes.count > FramingRules.joinedBytesMax - 1_001)
        #expect(result.records.dropFirst().allSatisfy { $0.lines == 1 })
        #expect(result.records.reduce(0) { $0 + $1.lines } == 101)
    }

    @Test(arguments: 1...300)
    func piecesOfTheInputAndRestartsChangeNothing(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let parts: [[UInt8]] = [
            Array("a".utf8), Array("b".utf8), [0x0A], [0x0A], Array("é€😀".utf8), [0xFF], [0, 0, 0],
            Array((Self.header + "x").utf8), Array("<13>".utf8), Array("\n{\"a\":1}\n".utf8),
        ]
        var input: [UInt8] = []
        for _ in 0..<Int.random(in: 0...120, using: &random) {
            input += parts[Int.random(in: 0..<parts.count, using: &random)]
        }
        let rules = Self.rules(max: Int.random(in: 20...80, using: &random), joins: Bool.random(using: &random))
        let whole = Self.frame(input, rules: rules)
        let ends = (0..<8).map { _ in Int.random(in: 0...input.count, using: &random) }.sorted()
        let pieces = Self.frame(input, ends: ends, rules: rules)
        #expect(pieces.records == whole.records, "seed \(seed)")
        #expect(pieces.counts == whole.counts && pieces.taken == whole.taken, "seed \(seed)")
        // Every byte is in a record, a line feed behind one, a skipped NUL, or waits.
        var place = 0
        for record in whole.records {
            #expect(input[place..<record.offset].allSatisfy { $0 == 0 }, "seed \(seed)")
            #expect(Array(input[record.offset...].prefix(record.bytes.count)) == record.bytes, "seed \(seed)")
            let behind = input[(record.offset + record.bytes.count)..<record.end]
            #expect(behind.isEmpty || behind.elementsEqual([0x0A]), "seed \(seed)")
            place = record.end
        }
        for (index, record) in whole.records.enumerated() {
            let isInside = record.isPiece && record.lines == 0
            let again = Self.frame(
                input, from: record.offset, state: FramerState(isInsideLine: isInside), rules: rules)
            #expect(again.records == Array(whole.records[index...]), "seed \(seed) restart at \(record.offset)")
        }
    }
}
