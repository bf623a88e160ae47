// What these tests share: what Fluentd wrote (Tests/Data/fluentd), and folders that go away.

import Foundation
import Testing

let testsFolder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The lines of a file below Tests/Data/fluentd.
func recorded(_ name: String) throws -> [Substring] {
    try String(contentsOf: testsFolder.appending(path: "Data/fluentd/\(name)"), encoding: .utf8).split(separator: "\n")
}

/// A member of a recorded object: text, or bytes in base64; nil for null.
func bytes(_ object: [String: Any], _ key: String) throws -> [UInt8]? {
    if let text = object[key] as? String { return Array(text.utf8) }
    guard let text = object["\(key)_base64"] as? String else { return nil }
    return [UInt8](try #require(Data(base64Encoded: text)))
}

func object(_ line: Substring) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}

/// Removed with the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}
