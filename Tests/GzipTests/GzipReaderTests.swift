// Compressed log files come from gzip(1) and logrotate, may hold several members, and may be cut: everything before the
// cut must come out, whatever the sizes of the pieces that go in and out.

import Diagnostics
import Foundation
import Testing

@testable import Gzip

@Suite struct GzipReaderTests {
    /// What a reader gave, and what it threw in the end.
    struct Outcome: Equatable {
        var bytes: [UInt8] = []
        var kind: GzipError.Kind?
    }

    /// A reader over `file` whose source gives at most `inputMax` bytes at a time.
    private func reader(_ file: [UInt8], inputMax: Int = .max) throws -> GzipReader {
        var next = 0
        return try GzipReader { buffer in
            let count = min(buffer.count, inputMax, file.count - next)
            buffer.copyBytes(from: file[next..<next + count])
            next += count
            return count
        }
    }

    private func readAll(_ reader: GzipReader, outputMax: Int = 10_000) throws -> Outcome {
        var outcome = Outcome()
        var buffer = [UInt8](repeating: 0, count: outputMax)
        do {
            while true {
                let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
                if count == 0 { return outcome }
                outcome.bytes += buffer[..<count]
            }
        } catch let error as GzipError {
            outcome.kind = error.kind
            // The error stays.
            #expect(throws: error) { try buffer.withUnsafeMutableBytes { try reader.read(into: $0) } }
            return outcome
        }
    }

    private func readAll(_ file: [UInt8], inputMax: Int = .max, outputMax: Int = 10_000) throws -> Outcome {
        try readAll(reader(file, inputMax: inputMax), outputMax: outputMax)
    }

    @Test(arguments: ["-1", "-6", "-9"]) func fileOfGzipComesBackWithItsName(level: String) throws {
        let rows = try sampleRows()
        let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-reader-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = folder.appending(path: "drupal.log.1")
        try Data(rows).write(to: log)
        // With name and time in the header, as logrotate makes it.
        try run("gzip", [level, log.path(percentEncoded: false)], stdin: [])
        let file = [UInt8](try Data(contentsOf: folder.appending(path: "drupal.log.1.gz")))
        #expect(file[3] == 8)
        #expect(try readAll(file) == Outcome(bytes: rows))
        #expect(try readAll(file, inputMax: 4_093, outputMax: 1 << 20) == Outcome(bytes: rows))
        #expect(try readAll(file, inputMax: 1, outputMax: 65_536) == Outcome(bytes: rows))
    }

    @Test func sourceGivesAByteAtATimeAndTakersTakeOne() throws {
        let text = Array("first line\nsecond line\n".utf8)
        let file = try run("gzip", ["-c"], stdin: text)
        #expect(try readAll(file, inputMax: 1, outputMax: 1) == Outcome(bytes: text))
        #expect(try readAll(file, inputMax: 1, outputMax: 7) == Outcome(bytes: text))
        #expect(try readAll(file, inputMax: 7, outputMax: 1) == Outcome(bytes: text))
    }

    @Test(arguments: [1, 2, 3, 1_000]) func severalMembersAreOneText(inputMax: Int) throws {
        let rows = try sampleRows()
        let members = [Array(rows.prefix(3_000)), [], Array("x".utf8), Array(rows.suffix(1_000))]
        let file = try members.flatMap { try run("gzip", ["-c"], stdin: $0) }
        #expect(try readAll(file, inputMax: inputMax) == Outcome(bytes: Array(members.joined())))
    }

    @Test func membersThatEndWithThePieceTheyCameInAreFollowedByTheNext() throws {
        let first = try run("gzip", ["-c"], stdin: Array("first\n".utf8))
        let second = try run("gzip", ["-c"], stdin: Array("second\n".utf8))
        var pieces = [first, second, []]
        let reader = try GzipReader { buffer in
            let piece = pieces.removeFirst()
            buffer.copyBytes(from: piece)
            return piece.count
        }
        #expect(try readAll(reader) == Outcome(bytes: Array("first\nsecond\n".utf8)))
    }

    @Test func everyCutGivesTheBytesBeforeItAndSaysSo() throws {
        let text = Array("one line\nanother line\n".utf8)
        let member = try gzipMember(text, level: 6, chunkBytes: 9)
        let two = member + member
        let lengths = try unpackedByPython(two)
        for length in 0..<two.count where length != member.count {
            for inputMax in [1, 1_000] {
                let outcome = try readAll(Array(two.prefix(length)), inputMax: inputMax)
                #expect(outcome.kind == .cut, "cut at \(length)")
                #expect((text + text).starts(with: outcome.bytes), "cut at \(length)")
                // All that Python's zlib makes of the same bytes.
                #expect(outcome.bytes.count == lengths[length], "cut at \(length)")
            }
        }
        #expect(try readAll(Array(two.prefix(member.count))) == Outcome(bytes: text))
    }

    /// How much comes out of the first n bytes of `file`, for each n.
    private func unpackedByPython(_ file: [UInt8]) throws -> [Int] {
        let script = """
            import sys, zlib
            whole = sys.stdin.buffer.read()
            for length in range(len(whole)):
                data, count = whole[:length], 0
                while data:
                    z = zlib.decompressobj(31)
                    count += len(z.decompress(data))
                    data = z.unused_data
                print(count)
            """
        let lines = String(decoding: try run("python3", ["-c", script], stdin: file), as: UTF8.self)
        return lines.split(separator: "\n").compactMap { Int($0) }
    }

    @Test func cutOfALargeFileLosesNothingBeforeIt() throws {
        let rows = try sampleRows()
        let file = try run("gzip", ["-c"], stdin: rows)
        let outcome = try readAll(Array(file.prefix(file.count - 20)), outputMax: 997)
        #expect(outcome.kind == .cut)
        #expect(rows.starts(with: outcome.bytes))
        #expect(outcome.bytes.count > rows.count - 20_000)
        // Only the checksum is missing: the text is whole.
        #expect(try readAll(Array(file.dropLast())) == Outcome(bytes: rows, kind: .cut))
    }

    @Test func errorsSayWhatIsWrong() throws {
        func cause(_ file: [UInt8]) throws -> String {
            let reader = try reader(file)
            let error = #expect(throws: GzipError.self) { try reader.skip(.max) }
            return error?.diagnostic.cause ?? ""
        }
        let file = try run("gzip", ["-c"], stdin: Array("text\n".utf8))
        #expect(try cause(Array(file.dropLast(3))) == "the data is cut: it ends inside a gzip member")
        #expect(try cause([]) == "there is no data")
        #expect(try cause(Array("plain text\n".utf8)) == "the data is not gzip's")
        #expect(try cause([0x1F, 0x8C, 8]) == "incorrect header check")
        #expect(try cause(file + [7]) == "bytes that are not gzip's follow the last member")
        #expect(try cause(file + [0, 7]) == "bytes that are not gzip's follow the last member")
    }

    @Test(arguments: [1, 511, 512, 200_000]) func zerosAfterTheLastMemberAreNothing(count: Int) throws {
        let text = Array("text\n".utf8)
        let file = try run("gzip", ["-c"], stdin: text)
        let zeros = [UInt8](repeating: 0, count: count)
        #expect(try readAll(file + zeros) == Outcome(bytes: text))
        #expect(try readAll(file + zeros, inputMax: 1) == Outcome(bytes: text))
        #expect(try readAll(file + zeros + [1]) == Outcome(bytes: text, kind: .damaged))
        #expect(try readAll(zeros) == Outcome(kind: .damaged))
    }

    @Test func somethingElseAfterAMemberIsDamageBehindItsText() throws {
        let text = Array("text\n".utf8)
        let file = try run("gzip", ["-c"], stdin: text)
        #expect(try readAll(file + Array("tail".utf8)) == Outcome(bytes: text, kind: .damaged))
        #expect(try readAll(file + file.prefix(1)) == Outcome(bytes: text, kind: .cut))
    }

    @Test func flippedBitsNeverPassUnseen() throws {
        let text = Array("Nov 22 22:28:27 web01 drupal: http://site056.example.org|1795386507|lt\n".utf8)
        let member = try gzipMember(text, level: 6, chunkBytes: 100)
        for index in member.indices {
            for bit in 0..<8 {
                var bad = member
                bad[index] ^= 1 << bit
                let outcome = try readAll(bad)
                // Time, flags and OS of the header may differ; the text may not.
                if outcome.kind == nil { #expect(outcome.bytes == text, "byte \(index), bit \(bit)") }
            }
        }
    }

    @Test func skippedBytesAreTheOnesBeforeTheRest() throws {
        let rows = try sampleRows()
        let file = try run("gzip", ["-c"], stdin: rows)
        for count in [0, 1, 65_535, 65_536, 65_537, 300_000, rows.count - 1, rows.count] {
            let reader = try reader(file)
            #expect(try reader.skip(count) == count)
            #expect(try readAll(reader) == Outcome(bytes: Array(rows[count...])))
        }
        let reader = try reader(file)
        #expect(try reader.skip(rows.count + 1) == rows.count)
        #expect(try readAll(reader) == Outcome())
    }

    @Test func sourceThatFailsMayBeAskedAgain() throws {
        struct Trouble: Error {}
        let rows = try sampleRows()
        let file = try run("gzip", ["-c"], stdin: rows)
        var calls = 0
        var next = 0
        let reader = try GzipReader { buffer in
            calls += 1
            if calls.isMultiple(of: 2) { throw Trouble() }
            let count = min(1_000, file.count - next)
            buffer.copyBytes(from: file[next..<next + count])
            next += count
            return count
        }
        var bytes: [UInt8] = []
        var troubles = 0
        var buffer = [UInt8](repeating: 0, count: 5_000)
        while bytes.count < rows.count {
            do {
                let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
                try #require(count > 0)
                bytes += buffer[..<count]
            } catch is Trouble {
                troubles += 1
            }
        }
        #expect(troubles > 3)
        #expect(bytes == rows)
    }

    @Test func bombIsUnpackedPieceByPiece() throws {
        let bomb = try gzipMember([UInt8](repeating: 0, count: 64 << 20), level: 9, chunkBytes: 1 << 20)
        #expect(try reader(bomb).skip(.max) == 64 << 20)
    }
}
