// Chunks that libdeflate made must join to one plain member for every reader, smaller than gzip's, and always the same.

import Diagnostics
import Testing

@testable import Gzip

@Suite struct JoiningDeflaterTests {
    private func deflater(level: Int = 6) throws -> JoiningDeflater {
        try JoiningDeflater(level: level, library: try #require(Libdeflate.shared, "the tests need libdeflate0"))
    }

    @Test(arguments: 1...9)
    func rowsComeBackFromGzipAndPythonAsOneMember(level: Int) throws {
        let rows = try sampleRows()
        let member = try gzipMember(rows, with: deflater(level: level), chunkBytes: 100_000)
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

    @Test func rowsAreNoLargerThanGzipMakesThem() throws {
        let rows = try mainRows()
        let ours = try gzipMember(rows, with: deflater(), chunkBytes: 1 << 20).count
        let theirs = try run("gzip", ["-6", "-n", "-c"], stdin: rows).count
        print("\(rows.count) bytes of rows: ours \(ours), gzip -6 \(theirs)")
        #expect(ours <= theirs)
    }

    /// Ends of chunks fall on every bit of a byte, and chunks of every kind of block are joined.
    @Test func chunksOfAllSizesAndKindsAreJoined() throws {
        let rows = try sampleRows()
        let joining = try deflater()
        var random = SplitMix(seed: 21)
        for round in 0..<200 {
            var out = GzipFrame.header
            var frame = GzipFrame()
            var whole: [UInt8] = []
            let chunks = 1 + Int(random.next() % 6)
            for index in 0..<chunks {
                let size = Int(random.next() % (round % 2 == 0 ? 300 : 90_000))
                var chunk: [UInt8]
                switch random.next() % 4 {
                case 0: chunk = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                case 1: chunk = [UInt8](repeating: 65, count: size)
                default: chunk = Array(rows.dropFirst(Int(random.next() % 100_000)).prefix(size))
                }
                if index == 0, chunk.isEmpty { chunk = [10] }
                try chunk.withUnsafeBytes {
                    try joining.deflate(
                        $0, dictionary: .init(start: nil, count: 0), isLast: index == chunks - 1, into: &out)
                    frame.update($0)
                }
                whole += chunk
            }
            let unpacked = try unpackGzip(out + frame.trailer)
            #expect(unpacked == whole, "round \(round)")
        }
    }

    @Test func sameChunksGiveSameBytesFromAFreshAndAUsedState() throws {
        let rows = try sampleRows()
        let used = try deflater()
        let first = try gzipMember(rows, with: used, chunkBytes: 40_000)
        _ = try gzipMember(Array(rows.reversed()), with: used, chunkBytes: 1_000)
        #expect(try gzipMember(rows, with: used, chunkBytes: 40_000) == first)
        #expect(try gzipMember(rows, with: deflater(), chunkBytes: 40_000) == first)
    }

    @Test func chunksOfBothEnginesJoinInOneMember() throws {
        let rows = try sampleRows()
        let engines: [any ChunkCompressor] = [try deflater(), try ChunkDeflater(level: 6)]
        var out = GzipFrame.header
        var frame = GzipFrame()
        try rows.withUnsafeBytes { bytes throws in
            for (index, start) in stride(from: 0, to: bytes.count, by: 50_000).enumerated() {
                let end = min(start + 50_000, bytes.count)
                let engine = engines[index % 2]
                let dictionary = bytes[max(0, start - engine.dictionaryBytesMax)..<start]
                let chunk = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                try engine.deflate(
                    chunk, dictionary: UnsafeRawBufferPointer(rebasing: dictionary), isLast: end == bytes.count,
                    into: &out)
                frame.update(chunk)
            }
        }
        #expect(try run("gzip", ["-dc"], stdin: out + frame.trailer) == rows)
    }

    @Test func emptyMemberIsTwentyBytesThatGzipAccepts() throws {
        let member = try gzipMember([], with: deflater(), chunkBytes: 1_000)
        #expect(member.count == 20)
        #expect(try run("gzip", ["-dc"], stdin: member).isEmpty)
    }

    @Test func checksumsOfBothLibrariesAreEqual() throws {
        let rows = try sampleRows()
        let library = try #require(Libdeflate.shared)
        rows.withUnsafeBytes { #expect(library.crc32(7, $0.baseAddress, $0.count) == zlibChecksum(7, $0)) }
    }
}

@Suite struct GzipEngineTests {
    @Test func autoTakesLibdeflateWhereItIsInstalled() throws {
        try #require(Libdeflate.shared != nil, "the tests need libdeflate0")
        #expect(try GzipEngine.auto.compressor(level: 6).engine == "libdeflate.so.0")
        #expect(try GzipEngine.libdeflate.compressor(level: 6).engine == "libdeflate.so.0")
        #expect(try GzipEngine.zlib.compressor(level: 6).engine.hasPrefix("zlib 1."))
    }

    @Test(arguments: [
        ("zlib 1.2.13", GzipEngine.zlib), ("zlib 1.3", .zlib), ("libdeflate.so.0", .auto), ("something new", .auto),
    ])
    func engineOfAPlanIsTakenAsFarAsItIsHere(name: String, engine: GzipEngine) {
        #expect(GzipEngine(madeBy: name) == engine)
    }

    @Test(arguments: GzipEngine.allCases, [-1, 0, 10])
    func levelOutsideOneToNineIsRefusedWithTheRemedy(engine: GzipEngine, level: Int) {
        let error = #expect(throws: GzipError.self) { _ = try engine.compressor(level: level) }
        #expect(error?.kind == .level)
        #expect(error?.diagnostic.hint?.contains("gzip_level") == true)
    }

    @Test func absentEngineIsTheJobFilesMistakeWithTheRemedy() {
        let error = GzipError.absent(Libdeflate.name)
        #expect(error.exitCode == .jobFileInvalid)
        #expect(error.diagnostic.hint?.contains("libdeflate0") == true)
    }
}
