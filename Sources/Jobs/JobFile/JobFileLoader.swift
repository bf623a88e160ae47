// Reads a job file and finds everything that is wrong with it in one pass. Nothing is fetched and no AWS is needed.

import CivilTime
import Diagnostics
import Glibc
import Yams

package enum JobFileLoader {
    /// A job file is a page of text; a larger file is a mistake.
    package static let bytesMax = 1 << 20

    /// Reads and checks the file at `path`.
    /// - Parameter environment: the variables for `${NAME}`, AWS_REGION and AWS_DEFAULT_REGION.
    package static func load(path: String, environment: [String: String]) throws(JobFileError) -> JobFile {
        try parse(readFile(path), path: path, environment: environment)
    }

    /// Checks the bytes of a job file.
    package static func parse(
        _ bytes: [UInt8], path: String, environment: [String: String]
    ) throws(JobFileError) -> JobFile {
        let reader = JobFileReader(environment: environment)
        if let file = file(bytes, path: path, reader: reader), reader.problems.isEmpty { return file }
        throw JobFileError(path: path, problems: reader.problems)
    }

    private static func file(_ bytes: [UInt8], path: String, reader: JobFileReader) -> JobFile? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let line = 1 + validPrefix(bytes).count { $0 == 0x0A }
            reader.add(
                Place(line: line, column: 1), key: "", "the file is not UTF-8 text", remedy: "save it as UTF-8")
            return nil
        }
        guard let root = composeDocument(text, reader: reader) else { return nil }
        guard case .mapping(let mapping) = root else {
            reader.add(
                Place(root), key: "", "a job file is a group of keys, not a \(describe(root))",
                remedy: "begin with `job: archive` or `job: ship`")
            return nil
        }
        guard let kind = kind(of: mapping, reader: reader) else { return nil }
        let known = JobFileKeys.sections(of: kind)
        let top = Section(path: "", place: .start, mapping: mapping, known: known, reader: reader)
        switch kind {
        case .archive: return ArchiveJobFile(top, path: path, known: known).map(JobFile.archive)
        case .ship: return .ship(ShipJobFile(top, path: path, known: known))
        }
    }

    /// What `job:` says decides which other keys are known, so a file without it is reported for that alone.
    private static func kind(of mapping: Node.Mapping, reader: JobFileReader) -> JobFile.Kind? {
        let kinds = JobFile.Kind.allCases.map(\.rawValue)
        guard let node = mapping["job"] else {
            reader.add(
                .start, key: "job", "is missing",
                remedy: "add `job: archive` or `job: ship`; it says which keys the file has")
            return nil
        }
        guard let value = reader.scalar(node, key: "job") else { return nil }
        if let kind = JobFile.Kind(rawValue: value.text) { return kind }
        let near = nearestName(to: value.text, among: kinds).map { "did you mean `\($0)`? " } ?? ""
        reader.add(
            value, "\(value.quoted) is not a kind of job", remedy: "\(near)accepted: \(kinds.joined(separator: ", "))")
        return nil
    }

    private static func validPrefix(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        // Job files are small: halve until the valid prefix is found.
        var (low, high) = (0, bytes.count)
        while low < high {
            let middle = (low + high + 1) / 2
            var end = middle
            while end > low, end < bytes.count, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            if String(validating: bytes[..<end], as: UTF8.self) != nil, end > low {
                low = end
            } else {
                high = middle - 1
            }
        }
        return bytes[..<low]
    }

    private static func readFile(_ path: String) throws(JobFileError) -> [UInt8] {
        func failure(_ message: String, _ remedy: String) -> JobFileError {
            JobFileError(
                path: path, problems: [JobFileProblem(line: 0, column: 0, key: "", message: message, remedy: remedy)])
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw failure("cannot be opened: \(String(cString: strerror(errno)))", "check the path and its permissions")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure("is not a file", "give the path of a job file")
        }
        // Whoever can write the file decides where the logs go.
        guard status.st_mode & S_IWOTH == 0 else {
            throw failure("every user of this machine may write it", "run: chmod o-w \(path)")
        }
        guard status.st_size <= bytesMax else {
            throw failure("is larger than \(Quantities.text(bytes: bytesMax))", "give the path of a job file")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
            }
            if count < 0 {
                throw failure("cannot be read: \(String(cString: strerror(errno)))", "check the disk")
            }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes.prefix(filled))
    }
}
