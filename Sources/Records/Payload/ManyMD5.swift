// MD5 of several messages at once: with vector instructions eight take little longer than one. Messages of about the same
// length gain most: what one has more than the shortest is done alone.
import CBytes
import Crypto

package enum ManyMD5 {
    /// So many messages are best given together.
    package static let lanes = Int(SLUICE_MD5_LANES)
    package static let digestBytes = 16

    private static let blockBytes = 64
    /// A, B, C and D (RFC 1321 section 3.3).
    private static let start: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]

    /// The digest of each message, in their order. At most `lanes`.
    package static func digests(_ messages: [ArraySlice<UInt8>]) -> [[UInt8]] {
        precondition(messages.count <= lanes, "more messages than lanes")
        guard messages.count > 1, let digests = together(messages) else { return messages.map(digest) }
        return digests
    }

    /// Nil where the machine cannot.
    private static func together(_ messages: [ArraySlice<UInt8>]) -> [[UInt8]]? {
        var digests = [[UInt8]](repeating: [], count: messages.count)
        var states = (0..<lanes).flatMap { _ in start }
        let wholeBlocks = messages.reduce(Int.max) { min($0, $1.count / blockBytes) }
        guard take(messages.map { $0.prefix(wholeBlocks * blockBytes) }, wholeBlocks, &states) else { return nil }
        let rests = messages.map { padded($0.dropFirst(wholeBlocks * blockBytes), count: $0.count) }
        for block in 0..<rests.reduce(0, { max($0, $1.count / blockBytes) }) {
            let place = block * blockBytes
            // A message that is over goes on with a block that does not count.
            let pieces = rests.map { $0.count > place ? $0[place..<place + blockBytes] : $0[..<blockBytes] }
            guard take(pieces, 1, &states) else { return nil }
            for lane in rests.indices where rests[lane].count == place + blockBytes {
                digests[lane] = states[4 * lane..<4 * lane + 4].flatMap { word in
                    (0..<4).map { UInt8(word >> (8 * $0) & 0xFF) }
                }
            }
        }
        return digests
    }

    /// Takes `blocks` blocks of each piece. Lanes without a piece of their own follow the first one.
    private static func take(_ pieces: [ArraySlice<UInt8>], _ blocks: Int, _ states: inout [UInt32]) -> Bool {
        var places: [UnsafePointer<UInt8>?] = []
        func take(_ piece: Int) -> Bool {
            guard piece < pieces.count else {
                places += [UnsafePointer<UInt8>?](repeating: places[0], count: lanes - places.count)
                return sluice_md5_blocks(&states, places, blocks) != 0
            }
            return pieces[piece].withUnsafeBufferPointer { bytes in
                precondition(bytes.count >= blocks * blockBytes, "a piece has fewer blocks")
                places.append(bytes.baseAddress)
                return take(piece + 1)
            }
        }
        return take(0)
    }

    /// The end of a message of `count` bytes, and what RFC 1321 sections 3.1 and 3.2 put behind it: whole blocks.
    private static func padded(_ rest: ArraySlice<UInt8>, count: Int) -> [UInt8] {
        var bytes = Array(rest) + [0x80]
        let lengthBytes = 8
        let zeros = (2 * blockBytes - lengthBytes - bytes.count % blockBytes) % blockBytes
        bytes += [UInt8](repeating: 0, count: zeros)
        return bytes + (0..<lengthBytes).map { UInt8(truncatingIfNeeded: (UInt64(count) * 8) >> (8 * UInt64($0))) }
    }

    private static func digest(_ message: ArraySlice<UInt8>) -> [UInt8] {
        message.withUnsafeBytes { bytes in
            var hash = Insecure.MD5()
            hash.update(bufferPointer: bytes)
            return Array(hash.finalize())
        }
    }
}
