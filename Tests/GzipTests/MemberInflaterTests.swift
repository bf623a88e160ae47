// One member, however it is cut into pieces; anything else is damage.

import Testing

@testable import Gzip

@Suite struct MemberInflaterTests {
    private func unpack(_ data: [UInt8], pieces: Int) throws -> [UInt8] {
        let inflater = try MemberInflater()
        var out: [UInt8] = []
        var rest = data[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(piece.count)
            try piece.withUnsafeBytes { bytes in
                try inflater.unpack(bytes) { part in
                    #expect(part.count <= 64 << 10)
                    out.append(contentsOf: part)
                }
            }
        }
        try inflater.finish()
        return out
    }

    @Test(arguments: [1, 7, 1_000, 1 << 20]) func rowsComeBackHoweverTheyAreCut(pieces: Int) throws {
        let rows = try sampleRows()
        #expect(try unpack(gzipMember(rows, level: 6, chunkBytes: 40_000), pieces: pieces) == rows)
        #expect(try unpack(run("gzip", ["-9", "-c"], stdin: rows), pieces: pieces) == rows)
    }

    @Test func highlyCompressedDataComesInBoundedPieces() throws {
        let zeros = [UInt8](repeating: 0, count: 10 << 20)
        #expect(try unpack(run("gzip", ["-9", "-c"], stdin: zeros), pieces: 1 << 20) == zeros)
    }

    @Test func whatIsNotOneWholeMemberIsDamage() throws {
        let rows = try sampleRows()
        let member = try gzipMember(rows, level: 6, chunkBytes: 40_000)
        var wrongSum = member
        wrongSum[member.count - 5] ^= 1
        var wrongSize = member
        wrongSize[member.count - 1] ^= 1
        for bad in [
            [], [0x1F], Array("plain text".utf8), Array(member.dropLast()), Array(member.dropLast(8)), member + [0],
            member + member, wrongSum, wrongSize,
        ] {
            for pieces in [3, 1 << 20] {
                let error = #expect(throws: GzipError.self) { try unpack(bad, pieces: pieces) }
                #expect(error?.kind == .damaged)
            }
        }
    }

    private struct Enough: Error {}

    @Test func readerMayStop() throws {
        let inflater = try MemberInflater()
        let member = try gzipMember(try sampleRows(), level: 6, chunkBytes: 40_000)
        #expect(throws: Enough.self) {
            try member.withUnsafeBytes { try inflater.unpack($0) { _ in throw Enough() } }
        }
    }
}
