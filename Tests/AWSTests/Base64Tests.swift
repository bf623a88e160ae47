// Base64 with vector instructions is the same as without, and keeps to its bounds.
import Foundation
import Testing

@testable import AWS

@Suite struct Base64Tests {
    private static let guardByte: UInt8 = 0xA5

    /// What was written, and whether the bytes around it are untouched.
    private func encoded(
        _ bytes: [UInt8],
        _ encode: (UnsafeRawBufferPointer, UnsafeMutableRawPointer, UnsafePointer<UInt16>) -> Int
    ) throws -> (text: String, isInside: Bool) {
        let count = Base64.encodedCount(bytes.count)
        var target = [UInt8](repeating: Self.guardByte, count: count + 128)
        let written = try target.withUnsafeMutableBytes { target in
            let place = try #require(target.baseAddress) + 64
            return try bytes.withUnsafeBytes { source in
                try Base64.digitPairs.withUnsafeBufferPointer { encode(source, place, try #require($0.baseAddress)) }
            }
        }
        let isInside =
            target.prefix(64).allSatisfy { $0 == Self.guardByte }
            && target.suffix(64).allSatisfy { $0 == Self.guardByte } && written == count
        return (String(decoding: target[64..<64 + count], as: UTF8.self), isInside)
    }

    @Test func everyLengthIsWhatFoundationWritesWithAndWithoutVectors() throws {
        for count in 0...300 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
            let expected = Data(bytes).base64EncodedString()
            let vector = try encoded(bytes) { Base64.encode($0, to: $1, pairs: $2) }
            let plain = try encoded(bytes) { Base64.encodePlainly($0, to: $1, pairs: $2) }
            #expect(vector.text == expected && vector.isInside, "\(count) bytes")
            #expect(plain.text == expected && plain.isInside, "\(count) bytes")
        }
    }

    @Test func everyPairOfBytesIsWrittenRight() throws {
        let bytes = (0..<65_536).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        #expect(try encoded(bytes) { Base64.encode($0, to: $1, pairs: $2) }.text == Data(bytes).base64EncodedString())
    }
}
