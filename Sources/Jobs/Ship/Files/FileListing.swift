// What lies on the disk: the files that the job's patterns match, and the names beside a log under which it may have
// been rotated away. System calls and the limits on them.
import Diagnostics
import Glibc

/// A file by name, as it is now.
struct ListedFile: Equatable {
    var path: String
    var facts: FileFacts
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

struct FileListing {
    /// Files that one job may ship at a time.
    static let filesMax = 10_000
    /// Entries of a directory that are looked at for rotated files.
    static let entriesMax = 200_000

    let patterns: [String]
    /// Where rotated files lie when not beside the log.
    let rotatedPatterns: [String]
    private let folders = FolderIndex()

    /// What was found in this look.
    private final class FolderIndex {
        /// Names of rotated files by the log that they belong to, for each folder.
        var names: [String: [String: [String]]?] = [:]
        var rotations: [String: [ListedFile]] = [:]
    }

    /// From now on folders are read anew.
    func beginLook() {
        folders.names.removeAll()
        folders.rotations.removeAll()
    }

    struct Matches {
        var files: [ListedFile] = []
        var problems: [ShipError] = []
        /// Paths that are there and cannot be used.
        var unusable: Set<String> = []
        /// Patterns and paths that match nothing.
        var empty: [String] = []
    }

    /// Every regular file that a pattern matches, by identity only once; names with an unreadable compression are
    /// left out.
    func matches() -> Matches {
        var result = Matches()
        var seen: Set<FileIdentity> = []
        for pattern in patterns {
            let paths = Self.expand(pattern)
            if paths.isEmpty { result.empty.append(pattern) }
            for path in paths {
                if RotationNames.unreadableSuffixes.contains(where: path.hasSuffix) { continue }
                guard let facts = FileFacts(path: path) else {
                    if errno != ENOENT {
                        result.problems.append(ShipError("look at", path, errno: errno))
                        result.unusable.insert(path)
                    }
                    continue
                }
                guard facts.isRegular else {
                    if !Self.isPattern(pattern) { result.problems.append(Self.notAFile(path)) }
                    result.unusable.insert(path)
                    continue
                }
                guard seen.insert(facts.identity).inserted else { continue }
                guard result.files.count < Self.filesMax else {
                    result.problems.append(
                        ShipError(
                            "match", pattern, "more than \(Self.filesMax) files",
                            hint: "give several jobs narrower patterns", exitCode: .jobFileInvalid))
                    return result
                }
                result.files.append(ListedFile(path: path, facts: facts))
            }
        }
        return result
    }

    private static func notAFile(_ path: String) -> ShipError {
        ShipError(
            "open", path, "is not a regular file", hint: "give `files` patterns that match log files only",
            exitCode: .jobFileInvalid)
    }

    /// Rotated forms of the log at `path`, oldest change first; nil when its folder cannot be read now.
    func rotations(of path: String) -> [ListedFile]? {
        if let known = folders.rotations[path] { return known }
        let found = findRotations(of: path)
        folders.rotations[path] = found
        return found
    }

    /// True when the rotated forms of the log are still what they were when they were looked at in this look: what was
    /// opened by name since then was the file that was meant. A rotation that goes on renames one after the other.
    func isUnchanged(_ path: String) -> Bool {
        guard let known = folders.rotations[path] else { return false }
        folders.names[Self.parts(of: path).folder] = nil
        let now = findRotations(of: path) ?? []
        return now.map(\.path) == known.map(\.path) && now.map(\.facts.identity) == known.map(\.facts.identity)
    }

    /// Of an absolute path.
    private static func parts(of path: String) -> (folder: String, base: String) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[slash...].dropFirst()))
    }

    private func findRotations(of path: String) -> [ListedFile]? {
        let (folder, base) = Self.parts(of: path)
        guard let names = rotatedNames(in: folder) else { return nil }
        var paths = (names[base] ?? []).map { folder == "/" ? "/\($0)" : "\(folder)/\($0)" }
        for pattern in rotatedPatterns {
            paths += Self.expand(pattern).filter { found in
                let name = found.split(separator: "/").last.map(String.init) ?? found
                return name == base || RotationNames.isRotation(name, of: base)
            }
        }
        var seen: Set<FileIdentity> = []
        return
            paths.compactMap { found -> ListedFile? in
                guard let facts = FileFacts(path: found), facts.isRegular, seen.insert(facts.identity).inserted else {
                    return nil
                }
                return ListedFile(path: found, facts: facts)
            }
            .sorted { ($0.facts.modified, $0.path) < ($1.facts.modified, $1.path) }
    }

    private func rotatedNames(in folder: String) -> [String: [String]]? {
        if let known = folders.names[folder] { return known }
        let names = Self.entries(of: folder).map { entries in
            Dictionary(
                grouping: entries.compactMap { name in RotationNames.base(of: name).map { (base: $0, name: name) } },
                by: \.base
            ).mapValues { $0.map(\.name) }
        }
        folders.names[folder] = .some(names)
        return names
    }

    /// The folder that a pattern's names lie in, as far as it has no pattern characters itself.
    static func literalFolder(_ pattern: String) -> String {
        let parts = pattern.split(separator: "/").dropLast().prefix { !isPattern(String($0)) }
        return "/" + parts.joined(separator: "/")
    }

    static func isPattern(_ text: String) -> Bool { text.contains { "*?[".contains($0) } }

    /// Paths that exist; a text without pattern characters stands for itself, also when nothing is there.
    private static func expand(_ pattern: String) -> [String] {
        guard isPattern(pattern) else {
            var status = stat()
            return lstat(pattern, &status) == 0 ? [pattern] : []
        }
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0, let entries = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { entries[$0].map { String(cString: $0) } }
    }

    /// Nil when the folder is there and cannot be read.
    private static func entries(of folder: String) -> [String]? {
        guard let directory = opendir(folder) else { return errno == ENOENT ? [] : nil }
        defer { closedir(directory) }
        var names: [String] = []
        while names.count < entriesMax, let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names
    }
}
