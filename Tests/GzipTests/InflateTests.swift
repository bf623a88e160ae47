// Payloads come from anybody: cut, damaged and hostile input is an error with a kind, never a crash or a full memory.

import Diagnostics
import Testing

@testable import Gzip

@Suite struct InflateTests {
    @Test func severalMembersAreOneText() throws {
        let one = try gzipMember(Array("first\n".utf8), level: 6, chunkBytes: 100)
        let two = try gzipMember(Array("second\n".utf8), level: 1, chunkBytes: 3)
        #expect(try unpackGzip(one + two) == Array("first\nsecond\n".utf8))
    }

    @Test func pythonsGzipAndZlibComeBack() throws {
        let rows = try sampleRows()
        let gzip = try run(
            "python3", ["-c", "import gzip,sys; sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read()))"],
            stdin: rows)
        #expect(try unpackGzip(gzip) == rows)
        #expect(try unpackZlib(try pythonZlib(rows)) == rows)
    }

    @Test func everyCutIsDamage() throws {
        let member = try gzipMember(Array("one line\nanother line\n".utf8), level: 6, chunkBytes: 9)
        for length in 0..<member.count {
            #expect(kind { try unpackGzip(Array(member.prefix(length))) } == .damaged, "cut at \(length)")
        }
        let zlib = try pythonZlib(Array("one line\n".utf8))
        for length in 0..<zlib.count {
            #expect(kind { try unpackZlib(Array(zlib.prefix(length))) } == .damaged, "cut at \(length)")
        }
    }

    @Test func bytesAfterTheEndAreDamage() throws {
        let member = try gzipMember(Array("line\n".utf8), level: 6, chunkBytes: 100)
        #expect(kind { try unpackGzip(member + [0]) } == .damaged)
        #expect(kind { try unpackGzip(member + Array("tail".utf8)) } == .damaged)
        #expect(kind { try unpackZlib(try pythonZlib([1, 2, 3]) + [7]) } == .damaged)
    }

    @Test func flippedBitsNeverPassUnseen() throws {
        let text = Array("Nov 22 22:28:27 web01 drupal: http://site056.example.org|1795386507|lt\n".utf8)
        let member = try gzipMember(text, level: 6, chunkBytes: 100)
        for index in member.indices {
            for bit in 0..<8 {
                var bad = member
                bad[index] ^= 1 << bit
                // Time, flags and OS of the header may differ; the text may not.
                if let out = try? unpackGzip(bad) { #expect(out == text, "byte \(index), bit \(bit)") }
            }
        }
    }

    @Test func bombStopsAtTheLimitOfBytes() throws {
        let bomb = try gzipMember([UInt8](repeating: 0, count: 3 << 20), level: 9, chunkBytes: 1 << 20)
        #expect(kind { try unpackGzip(bomb, limit: (3 << 20) - 1, ratioLimit: .max) } == .tooLarge)
        #expect(try unpackGzip(bomb, limit: 3 << 20, ratioLimit: .max).count == 3 << 20)
    }

    @Test func bombStopsAtTheRatio() throws {
        let bomb = try gzipMember([UInt8](repeating: 0, count: 3 << 20), level: 9, chunkBytes: 1 << 20)
        #expect(kind { try unpackGzip(bomb, limit: 64 << 20, ratioLimit: 100) } == .ratio)
        // Small outputs are no bombs: a payload of equal lines packs as well.
        let free = Inflate.ratioFreeBytes
        let lines = try gzipMember([UInt8](repeating: 10, count: free), level: 9, chunkBytes: free)
        #expect(try unpackGzip(lines, limit: 64 << 20, ratioLimit: 100).count == free)
        let more = try gzipMember([UInt8](repeating: 10, count: free + 1), level: 9, chunkBytes: free + 1)
        #expect(kind { try unpackGzip(more, limit: 64 << 20, ratioLimit: 100) } == .ratio)
    }

    @Test func randomBytesAreRefused() {
        var random = SplitMix(seed: 7)
        for _ in 0..<2_000 {
            let count = Int(random.next() % 64)
            let bytes = [0x1F, 0x8B, 8, 0] + (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(kind { try unpackGzip(bytes) } == .damaged)
        }
    }

    @Test func streamThatWantsADictionaryIsRefused() throws {
        let script = """
            import sys, zlib
            z = zlib.compressobj(zdict=b"abcdefgh")
            sys.stdout.buffer.write(z.compress(b"abcdefgh" * 9) + z.flush())
            """
        let data = try run("python3", ["-c", script], stdin: [])
        #expect(kind { try unpackZlib(data) } == .damaged)
    }

    private func kind(_ body: () throws -> [UInt8]) -> GzipError.Kind? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? GzipError)?.kind
        }
    }

    private func pythonZlib(_ bytes: [UInt8]) throws -> [UInt8] {
        let script = "import zlib,sys; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))"
        return try run("python3", ["-c", script], stdin: bytes)
    }
}
