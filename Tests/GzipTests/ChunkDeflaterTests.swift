// What the archiver writes must be one plain gzip member for every reader, as small as gzip's, and always the same bytes.

import Diagnostics
import Testing

@testable import Gzip

@Suite struct ChunkDeflaterTests {
    static let chunkBytes = 128 << 10

    @Test(arguments: 1...9)
    func rowsComeBackFromGzipAndPythonAsOneMember(level: Int) throws {
        let rows = try sampleRows()
        let member = try gzipMember(rows, level: level, chunkBytes: Self.chunkBytes)
        try run("gzip", ["-t"], stdin: member)
        #expect(try run("gzip", ["-dc"], stdin: member) == rows)
        let script = """
            import gzip, sys, zlib
            data = sys.stdin.buffer.read()
            one = zlib.decompressobj(31)
            rows = one.decompress(data)
            assert one.eof and one.unused_data == b"" and gzip.decompress(data) == rows
            sys.stdout.buffer.write(rows)
            """
        #expect(try run("python3", ["-c", script], stdin: member) == rows)
    }

    @Test func sizeIsWithinOneAndAHalfPercentOfGzip() throws {
        let rows = try mainRows()
        let ours = try gzipMember(rows, level: 6, chunkBytes: Self.chunkBytes).count
        let theirs = try run("gzip", ["-6", "-n", "-c"], stdin: rows).count
        print("\(rows.count) bytes of rows: ours \(ours), gzip -6 \(theirs)")
        #expect(Double(ours) <= Double(theirs) * 1.015)
    }

    @Test func dictionaryIsWhatKeepsSmallChunksSmall() throws {
        let rows = try sampleRows()
        let with = try gzipMember(rows, level: 6, chunkBytes: 16 << 10).count
        let without = try gzipMember(rows, level: 6, chunkBytes: 16 << 10, usesDictionary: false).count
        #expect(Double(with) < Double(without) * 0.97)
    }

    @Test func sameChunksGiveSameBytesFromAFreshAndAUsedState() throws {
        let rows = try sampleRows()
        let used = try ChunkDeflater(level: 6)
        let first = try gzipMember(rows, with: used, chunkBytes: 40_000)
        _ = try gzipMember(Array(rows.reversed()), with: used, chunkBytes: 1_000)
        #expect(try gzipMember(rows, with: used, chunkBytes: 40_000) == first)
        #expect(try gzipMember(rows, level: 6, chunkBytes: 40_000) == first)
    }

    @Test func membersGrowSideBySideThroughOneState() throws {
        let a = try sampleRows()
        let b = Array(a.reversed())
        let shared = try ChunkDeflater(level: 6)
        var files: [[UInt8]] = [GzipFrame.header, GzipFrame.header]
        var frames = [GzipFrame(), GzipFrame()]
        var start = 0
        while start < a.count {
            let end = min(start + 50_000, a.count)
            for (i, rows) in [a, b].enumerated() {
                try rows.withUnsafeBytes { bytes throws in
                    let chunk = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                    let dictionary = UnsafeRawBufferPointer(rebasing: bytes[max(0, start - 32_768)..<start])
                    try shared.deflate(chunk, dictionary: dictionary, isLast: end == a.count, into: &files[i])
                    frames[i].update(chunk)
                }
            }
            start = end
        }
        for (i, rows) in [a, b].enumerated() {
            let unpacked = try unpackGzip(files[i] + frames[i].trailer)
            #expect(unpacked == rows)
        }
    }

    @Test(arguments: [0, 1, 2, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073])
    func sizesAtEveryBufferEdgeComeBack(size: Int) throws {
        var random = SplitMix(seed: UInt64(size) + 1)
        // Noise does not compress, so the output passes the scratch buffer's edges too.
        let rows = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        for chunkBytes in [1_000, 65_536, 131_072] where size < 70_000 || chunkBytes > 1_000 {
            let member = try gzipMember(rows, level: 6, chunkBytes: chunkBytes)
            #expect(try unpackGzip(member) == rows)
        }
    }

    @Test func emptyMemberIsTwentyBytesThatGzipAccepts() throws {
        let member = try gzipMember([], level: 6, chunkBytes: Self.chunkBytes)
        #expect(member.count == 20)
        #expect(try run("gzip", ["-dc"], stdin: member).isEmpty)
    }

    @Test func emptyChunkInTheMiddleAddsNothing() throws {
        let deflater = try ChunkDeflater(level: 6)
        var out: [UInt8] = []
        try deflater.deflate(
            .init(start: nil, count: 0), dictionary: .init(start: nil, count: 0), isLast: false, into: &out)
        #expect(out.isEmpty)
    }

    @Test(arguments: [-1, 0, 10])
    func levelOutsideOneToNineIsRefusedWithTheRemedy(level: Int) {
        let error = #expect(throws: GzipError.self) { try ChunkDeflater(level: level) }
        #expect(error?.kind == .level)
        #expect(error?.exitCode == .jobFileInvalid)
        #expect(error?.diagnostic.hint?.contains("gzip_level") == true)
    }

    @Test func headerHasNoTimeAndNoSystem() {
        #expect(GzipFrame.header == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    }

    @Test func trailerIsChecksumAndSizeLittleEndian() {
        var frame = GzipFrame()
        Array("1234".utf8).withUnsafeBytes { frame.update($0) }
        Array("56789".utf8).withUnsafeBytes { frame.update($0) }
        // The check value of CRC-32 for the nine digits.
        #expect(frame.crc == 0xCBF4_3926)
        #expect(frame.trailer == [0x26, 0x39, 0xF4, 0xCB, 9, 0, 0, 0])
    }
}
