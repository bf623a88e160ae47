// Rows made of captured lines, members made as the archiver makes them, and other programs to judge them.

import Foundation
import Testing

@testable import Gzip

/// Seeded, so that a failure repeats.
struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private let dataFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Data/drupal")

/// 2,000 captured lines as rows.
func sampleRows() throws -> [UInt8] {
    rows(of: [UInt8](try Data(contentsOf: dataFolder.appending(path: "sample/drupal.log"))))
}

/// 20,610 captured lines as rows.
func mainRows() throws -> [UInt8] {
    rows(of: try unpackGzip([UInt8](try Data(contentsOf: dataFolder.appending(path: "main/drupal.log.gz")))))
}

/// Each line with what the archiver puts around it: keys, times, a 56-digit sequence number.
private func rows(of log: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for (i, line) in log.split(separator: 10).enumerated() {
        let second = i % 3_600
        let time =
            "2026-11-22T22:" + String(100 + second / 60).dropFirst() + ":" + String(100 + second % 60).dropFirst()
        let sequence = "49590338271490256608559692538361571095921575" + String(100_000_000_000 + i * 7_919)
        out += Array("{\"event_time\":\"\(time)Z\",\"host\":\"web01\",\"program\":\"drupal\",\"message\":\"".utf8)
        out += line
        out += Array("\",\"shard_id\":\"shardId-000000000001\",\"sequence_number\":\"\(sequence)\"}\n".utf8)
    }
    return out
}

func gzipMember(
    _ rows: [UInt8], level: Int, chunkBytes: Int, usesDictionary: Bool = true
) throws -> [UInt8] {
    try gzipMember(rows, with: ChunkDeflater(level: level), chunkBytes: chunkBytes, usesDictionary: usesDictionary)
}

func gzipMember(
    _ rows: [UInt8], with deflater: any ChunkCompressor, chunkBytes: Int, usesDictionary: Bool = true
) throws -> [UInt8] {
    var out = GzipFrame.header
    var frame = GzipFrame()
    try rows.withUnsafeBytes { bytes throws in
        var start = 0
        repeat {
            let end = min(start + chunkBytes, bytes.count)
            let reach = usesDictionary ? deflater.dictionaryBytesMax : 0
            let chunk = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            let dictionary = UnsafeRawBufferPointer(rebasing: bytes[max(0, start - reach)..<start])
            try deflater.deflate(chunk, dictionary: dictionary, isLast: end == bytes.count, into: &out)
            frame.update(chunk)
            start = end
        } while start < bytes.count
    }
    return out + frame.trailer
}

func unpackGzip(_ bytes: [UInt8], limit: Int = 64 << 20, ratioLimit: Int = 1_100) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try Inflate.gzip($0, limit: limit, ratioLimit: ratioLimit) }
}

func unpackZlib(_ bytes: [UInt8]) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try Inflate.zlib($0, limit: 64 << 20, ratioLimit: 1_100) }
}

struct ProgramFailed: Error {
    let program: String
    let status: Int32
    let complaint: String
}

/// Runs a program over files, so that no pipe can fill up; throws unless it ends with 0.
@discardableResult
func run(_ program: String, _ arguments: [String], stdin: [UInt8]) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-gzip-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (input, output, errors) = (
        folder.appending(path: "in"), folder.appending(path: "out"), folder.appending(path: "err")
    )
    try Data(stdin).write(to: input)
    for file in [output, errors] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        let complaint = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        throw ProgramFailed(program: program, status: process.terminationStatus, complaint: complaint)
    }
    return [UInt8](try Data(contentsOf: output))
}
