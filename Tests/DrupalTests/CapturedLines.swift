// The captured logs and the truth recorded beside them (Tests/Data/drupal/README.md).

import Foundation
import Gzip

@testable import Records

/// One captured file.
struct CapturedFile: Sendable, CustomStringConvertible {
    enum Header { case rfc3164, rfc5424 }
    /// How PHP treats control bytes: `no-ctrl` writes `\xNN` and ends a line at a line feed, `raw` only the latter.
    enum Filter { case noControl, raw }

    var log: String
    var truth: String
    var header: Header
    var filter: Filter

    var description: String { log }

    static let all = [
        CapturedFile(log: "main/drupal.log.gz", truth: "main/truth.jsonl.gz", header: .rfc3164, filter: .noControl),
        CapturedFile(
            log: "main/drupal-pri-iso.log.gz", truth: "main/truth.jsonl.gz", header: .rfc3164, filter: .noControl),
        CapturedFile(
            log: "main/drupal-5424.log.gz", truth: "main/truth.jsonl.gz", header: .rfc5424, filter: .noControl),
        CapturedFile(log: "sample/drupal.log", truth: "sample/truth.jsonl", header: .rfc3164, filter: .noControl),
        CapturedFile(
            log: "php-filter-raw/drupal.log.gz", truth: "php-filter-raw/truth.jsonl.gz", header: .rfc3164, filter: .raw),
    ]

    func lines() throws -> [Line] {
        try Self.read(log).split(separator: 10, omittingEmptySubsequences: false).map { Line($0, header) }
    }

    func calls() throws -> [Call] {
        // Foundation drops a byte order mark at the start of a JSON string unless it is escaped.
        let lines = try Self.read(truth).replacing([0xEF, 0xBB, 0xBF], with: "\\ufeff".utf8).split(separator: 10)
        guard let first = lines.first, first.first == UInt8(ascii: "[") else {
            return try lines.compactMap { try Call(object: JSONSerialization.jsonObject(with: Data($0))) }
        }
        let columns = try JSONSerialization.jsonObject(with: Data(first)) as? [String] ?? []
        return try lines.dropFirst().compactMap { line in
            guard let values = try JSONSerialization.jsonObject(with: Data(line)) as? [Any] else { return nil }
            return Call(object: Dictionary(uniqueKeysWithValues: zip(columns, values)))
        }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Data/drupal")

    private static func read(_ path: String) throws -> [UInt8] {
        let bytes = [UInt8](try Data(contentsOf: folder.appending(path: path)))
        guard path.hasSuffix(".gz") else { return bytes }
        return try bytes.withUnsafeBytes { try Inflate.gzip($0, limit: 16 << 20, ratioLimit: 1_000) }
    }
}

/// A physical line, its header taken off by the simplest means.
struct Line {
    var message: [UInt8]
    /// Minute and second of the header; nil for a line without one.
    var headerSecond: Int?

    init(_ line: some Collection<UInt8>, _ header: CapturedFile.Header) {
        let bytes = Array(line)
        message = bytes
        guard let host = bytes.firstRange(of: Array(" web01 ".utf8)), host.lowerBound < 40,
            let end = bytes[host.upperBound...].firstRange(of: Array((header == .rfc3164 ? ": " : "\"] ").utf8)),
            end.lowerBound < host.upperBound + 60
        else { return }
        message = Array(bytes[end.upperBound...])
        // …22:28:27 and perhaps a zone.
        let clock = bytes[..<host.lowerBound].split(separator: UInt8(ascii: ":"))
        guard clock.count >= 3 else { return }
        headerSecond = Self.number(clock[1]) * 60 + Self.number(clock[2].prefix(2))
    }

    private static func number(_ digits: some Collection<UInt8>) -> Int {
        digits.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
    }
}

/// One watchdog() call.
struct Call {
    var line: Int
    var lineCount: Int
    /// In the order of the default format, before PHP's escaping.
    var values: [[UInt8]]

    private static let names = [
        "base_url", "timestamp", "type", "ip", "request_uri", "referer", "uid", "link", "message",
    ]

    /// Nil for a call whose line was lost or cut.
    init?(object: Any) {
        guard let object = object as? [String: Any], let line = object["line"] as? Int,
            let lineCount = object["nlines"] as? Int, object["status"] as? String ?? "ok" == "ok"
        else { return nil }
        self.line = line
        self.lineCount = lineCount
        values = Self.names.map { Self.bytes(object[$0] ?? ["b64": object[$0 + "_b64"]]) }
    }

    private static func bytes(_ value: Any) -> [UInt8] {
        switch value {
        case let text as String: Array(text.utf8)
        case let number as Int: Array(String(number).utf8)
        case let box as [String: Any]: [UInt8](Data(base64Encoded: box["b64"] as? String ?? "") ?? Data())
        default: []
        }
    }

    /// What the first physical line says: whole fields, and the last one only up to its first line feed.
    func firstLine(_ filter: CapturedFile.Filter) -> [[UInt8]] {
        var fields: [[UInt8]] = []
        for value in values {
            let isCut = value.contains(10)
            fields.append(escape(Array(value.prefix { $0 != 10 }), filter))
            if isCut { break }
        }
        return fields
    }

    private func escape(_ bytes: [UInt8], _ filter: CapturedFile.Filter) -> [UInt8] {
        guard filter == .noControl else { return bytes }
        return bytes.flatMap { byte -> [UInt8] in
            guard byte < 0x20 || byte == 0x7F else { return [byte] }
            return Array("\\x".utf8) + Array((byte < 16 ? "0" : "").utf8) + Array(String(byte, radix: 16).utf8)
        }
    }
}

extension DrupalFields {
    var slices: [UnsafeRawBufferPointer] { [baseURL, type, ip, requestURI, referer, link, message] }

    /// As the truth has them.
    var values: [[UInt8]] {
        let numbers = [timestamp, uid].map { $0.map { Array(String($0).utf8) } ?? [] }
        return [
            Array(baseURL), numbers[0], Array(type), Array(ip), Array(requestURI), Array(referer), numbers[1],
            Array(link), Array(message),
        ]
    }
}
