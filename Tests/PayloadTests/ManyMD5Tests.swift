// MD5 of several messages at once is that of each.
import Crypto
import Testing

@testable import Records

@Suite struct ManyMD5Tests {
    private func plain(_ message: ArraySlice<UInt8>) -> [UInt8] { Array(Insecure.MD5.hash(data: Array(message))) }

    private func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ seed &* 59 &+ $0 >> 7) }
    }

    @Test(arguments: 1...ManyMD5.lanes) func messagesOfAnyLengthTogetherHaveTheirOwnDigests(count: Int) {
        for length in 0...200 {
            // Others are shorter and longer, across the edges of blocks and of the padding.
            let messages = (0..<count).map { bytes(max(0, length + ($0 * 37) % 130 - 60), $0)[...] }
            #expect(ManyMD5.digests(messages) == messages.map(plain), "\(messages.map(\.count))")
        }
    }

    @Test func longMessagesAndSlicesOfThemAreTakenWhereTheyBegin() {
        let messages = (0..<ManyMD5.lanes).map { bytes(50_000 + 13 * $0, $0).dropFirst(4 + $0) }
        #expect(ManyMD5.digests(messages) == messages.map(plain))
    }

    @Test func noMessagesHaveNoDigests() { #expect(ManyMD5.digests([]).isEmpty) }
}
