// One event as one line, for people or for machines. Pure.

import CivilTime
import Diagnostics
import Foundation

enum LogFormat: String, CaseIterable, Sendable { case text, json }

enum LogLine {
    /// `2026-11-23T22:31:00.123Z info batch committed records=20 shard=shardId-000000000000`.
    static func text(time: Timestamp, level: String, message: String, fields: [(String, String)]) -> String {
        var line = "\(timeText(time)) \(level) \(escapeControlCharacters(message))"
        for (key, value) in fields { line += " \(key)=\(quoted(value))" }
        return line
    }

    /// The same as a JSON object; a field never hides `time`, `level` or `message`.
    static func json(time: Timestamp, level: String, message: String, fields: [(String, String)]) -> String {
        var object = Dictionary(fields) { first, _ in first }
        object["time"] = timeText(time)
        object["level"] = level
        object["message"] = message
        return JSONText.line(object)
    }

    /// RFC 3339 in UTC, always with milliseconds, so that lines align.
    static func timeText(_ time: Timestamp) -> String {
        let milliseconds = String(time.milliseconds - time.seconds * 1_000)
        let padded = String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
        return "\(RFC3339.text(Timestamp(seconds: time.seconds)).dropLast()).\(padded)Z"
    }

    /// A value that could be misread is quoted.
    private static func quoted(_ value: String) -> String {
        let escaped = escapeControlCharacters(value)
        guard escaped.isEmpty || escaped.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else {
            return escaped
        }
        return "\"" + escaped.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

/// JSON with keys in alphabetical order, so that two equal results are equal text.
enum JSONText {
    static func line(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("a result holds only text, whole numbers and finite fractions")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
