// Configurations that lie in memory.

import Diagnostics
import Foundation

@testable import Jobs

/// Configuration files by path.
struct MemoryFiles: FluentdFiles {
    var texts: [String: String]

    func read(_ path: String) throws(FluentdConfigError) -> [UInt8] {
        guard let text = texts[path] else {
            throw FluentdConfigError(
                place: FluentdPlace(file: path, line: 0), cause: "is not there", hint: nil, exitCode: .temporary)
        }
        return Array(text.utf8)
    }

    func glob(_ pattern: String) -> [String] { texts.keys.filter { fnmatch(pattern, $0, FNM_PATHNAME) == 0 }.sorted() }
}

extension FluentdImport {
    /// Reads one configuration text, as `/etc/f.conf`.
    static func of(_ text: String, besides: [String: String] = [:]) throws -> FluentdImport {
        try read(path: "/etc/f.conf", files: MemoryFiles(texts: besides.merging(["/etc/f.conf": text]) { $1 }))
    }
}
