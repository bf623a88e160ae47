// The dialect of ~/.aws/config and ~/.aws/credentials, as botocore (Python's RawConfigParser) reads it: sections,
// `key = value` or `key: value`, comments at the start of a line, indented lines that continue the value above, and
// one level of nesting (`s3 =` followed by indented settings). Duplicates are errors. Messages never quote a value.

/// One parsed file: sections in order, with the line of everything for messages.
struct INIFile: Sendable {
    static let bytesMax = 1 << 20

    struct Section: Sendable {
        var header: String
        var line: Int
        var values: [String: ConfigurationValue]
    }

    var path: String
    var sections: [Section]

    init(path: String, bytes: [UInt8]) throws(AWSConfigurationError) {
        var parser = Parser(path: path)
        guard bytes.count <= Self.bytesMax else {
            throw parser.error(line: 1, "is larger than \(Self.bytesMax) bytes")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw parser.error(line: 1, "is not UTF-8 text")
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() { try parser.take(line, number: index + 1) }
        try parser.finishValue()
        self.path = path
        sections = parser.sections
    }
}

private struct Parser {
    /// A key whose continuation lines are still being read.
    struct OpenValue {
        var key: String
        var indent: Int
        var line: Int
        /// First line and continuations, with their line numbers.
        var lines: [(text: String, line: Int)]
    }

    let path: String
    var sections: [INIFile.Section] = []
    var headers: [String: Int] = [:]
    var open: OpenValue?

    init(path: String) { self.path = path }

    func error(line: Int, _ cause: String) -> AWSConfigurationError {
        AWSConfigurationError("read AWS configuration file", "\(path):\(line)", cause)
    }

    mutating func take(_ raw: Substring, number: Int) throws(AWSConfigurationError) {
        let indent = raw.prefix { $0 == " " || $0 == "\t" }.count
        let line = trimmed(raw)
        if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { return }
        if let value = open, indent > value.indent {
            open?.lines.append((line, number))
            return
        }
        try finishValue()
        if line.hasPrefix("[") {
            try openSection(line, number: number)
        } else {
            try openValue(line, indent: indent, number: number)
        }
    }

    private mutating func openSection(_ line: String, number: Int) throws(AWSConfigurationError) {
        guard let close = line.lastIndex(of: "]") else {
            throw error(line: number, "this section header has no closing bracket")
        }
        let header = trimmed(line[line.index(after: line.startIndex)..<close])
        guard !header.isEmpty else { throw error(line: number, "this section has no name") }
        if let before = headers[header] {
            throw error(line: number, "section [\(header)] stands at line \(before) already; merge the two")
        }
        headers[header] = number
        sections.append(INIFile.Section(header: header, line: number, values: [:]))
    }

    private mutating func openValue(_ line: String, indent: Int, number: Int) throws(AWSConfigurationError) {
        guard let section = sections.last else {
            throw error(line: number, "a setting stands before the first [section]")
        }
        guard let separator = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            throw error(line: number, "this line is neither `key = value`, a [section], nor a comment")
        }
        let key = trimmed(line[..<separator]).lowercased()
        guard !key.isEmpty else { throw error(line: number, "this line has no key before the `=`") }
        if let before = section.values[key] {
            throw error(line: number, "\(key) is set at line \(before.line) already")
        }
        let value = trimmed(line[line.index(after: separator)...])
        open = OpenValue(key: key, indent: indent, line: number, lines: [(withoutComment(value, key: key), number)])
    }

    mutating func finishValue() throws(AWSConfigurationError) {
        guard let value = open else { return }
        open = nil
        guard let first = value.lines.first, !sections.isEmpty else { return }
        var nested: [String: ConfigurationValue] = [:]
        var text = first.text
        if first.text.isEmpty {
            for (line, number) in value.lines.dropFirst() {
                guard let separator = line.firstIndex(of: "=") else {
                    throw error(line: number, "this line below \(value.key) is not `key = value`")
                }
                let key = trimmed(line[..<separator]).lowercased()
                let inner = withoutComment(trimmed(line[line.index(after: separator)...]), key: key)
                nested[key] = ConfigurationValue(text: inner, file: path, line: number)
            }
        } else {
            text = value.lines.map(\.text).joined(separator: "\n")
        }
        sections[sections.count - 1].values[value.key] = ConfigurationValue(
            text: text, nested: nested, file: path, line: value.line)
    }

    /// Cuts ` # comment` and ` ; comment`. A command line may well contain either, so it is left whole.
    private func withoutComment(_ value: String, key: String) -> String {
        guard key != "credential_process" else { return value }
        var previousIsSpace = true
        for index in value.indices {
            let character = value[index]
            if previousIsSpace, character == "#" || character == ";" { return trimmed(value[..<index]) }
            previousIsSpace = character == " " || character == "\t"
        }
        return value
    }
}

/// `text` without spaces, tabs and carriage returns at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    func isSpace(_ c: Character) -> Bool { c == " " || c == "\t" || c == "\r" || c == "\n" || c == "\r\n" }
    guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(text[first...last])
}
