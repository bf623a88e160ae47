// Compressed user records: unpacked when the whole of them unpacks, else passed on as they came.

import Crypto
import Gzip
import Testing

@testable import Records

@Suite struct CompressedPayloadTests {
    private let line = Array("Nov 22 22:28:27 web01 drupal: hello\n".utf8)

    @Test func gzipAndZlibAreUnpacked() throws {
        #expect(try unpack(gzipped(line)).map(\.data) == [line])
        #expect(try unpack(zlibbed(line)).map(\.data) == [line])
        #expect(try unpack(gzipped(line) + gzipped(line)).map(\.data) == [line + line])
    }

    @Test func keyIsTheRecordsOwn() throws {
        #expect(try unpack(gzipped(line), partitionKey: "k").map(\.partitionKey) == [[0x6B]])
    }

    @Test func userRecordsOfAnAggregateAreUnpackedOnce() throws {
        let twice = try gzipped(gzipped(line))
        let record = [8, 0, 0x1A, UInt8(twice.count)] + twice
        let payload = makeAggregate([keyField("a"), [0x1A, UInt8(record.count)] + record, recordField(key: 0, "x")])
        #expect(try unpack(payload).map(\.data) == [try gzipped(line), [0x78]])
    }

    @Test func aggregateInsideGzipStaysOne() throws {
        let aggregate = makeAggregate([keyField("a"), recordField(key: 0, "x")])
        #expect(try unpack(gzipped(aggregate)).map(\.data) == [aggregate])
    }

    @Test func damagedOrCutDataIsPassedOnAsItCame() throws {
        for packed in [try gzipped(line), try zlibbed(line)] {
            for length in 0..<packed.count {
                let cut = Array(packed.prefix(length))
                #expect(try unpack(cut).map(\.data) == [cut])
            }
            let longer = packed + [0]
            #expect(try unpack(longer).map(\.data) == [longer])
            var wrongSum = packed
            wrongSum[packed.count - 5] ^= 0xFF
            #expect(try unpack(wrongSum).map(\.data) == [wrongSum])
        }
    }

    @Test(arguments: ["x^2 is a line", "hC", "8O at the start", "x\u{1}", "HG and more text"])
    func textThatBeginsLikeZlibStaysText(text: String) throws {
        let bytes = Array(text.utf8)
        #expect(bytes[0] & 0x0F == 8)
        #expect(try unpack(bytes).map(\.data) == [bytes])
    }

    @Test func bombStaysPacked() throws {
        let bomb = try gzipped([UInt8](repeating: 0x20, count: 4 << 20))
        #expect(bomb.count * PayloadUnpacker.unpackRatioMax < 4 << 20)
        #expect(try unpack(bomb).map(\.data) == [bomb])
    }

    @Test func bufferIsUsedAgainAndGivenBack() throws {
        var unpacker = PayloadUnpacker()
        var noise = SystemRandom(seed: 3)
        let large = (0..<(6 << 20)).map { _ in UInt8(truncatingIfNeeded: noise.next() & 0x0F) }
        for record in [line, large, line, []] {
            #expect(try unpack(gzipped(record), with: &unpacker).map(\.data) == [record])
        }
    }

    @Test func emptyPayloadIsOneEmptyRecord() throws {
        #expect(try unpack([]) == [Unpacked(data: [], partitionKey: Array("OUTER".utf8))])
    }

    @Test func errorOfTheCallbackComesThrough() throws {
        struct Stop: Error {}
        var unpacker = PayloadUnpacker()
        let payload = makeAggregate([keyField("a"), recordField(key: 0, "x")])
        #expect(throws: Stop.self) {
            try payload.withUnsafeBytes { bytes in
                try unpacker.unpack(bytes, partitionKey: bytes) { _, _, _ in throw Stop() }
            }
        }
        // The unpacker is whole afterwards.
        #expect(try unpack(gzipped(line), with: &unpacker).map(\.data) == [line])
    }
}
