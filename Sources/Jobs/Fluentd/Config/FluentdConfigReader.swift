// From the main file and what it includes to one tree. What must stay true: a problem names file and line, and nothing
// that the files hold gets into a message.
import Glibc

/// Where the text of configuration files comes from.
protocol FluentdFiles {
    /// The whole file.
    func read(_ path: String) throws(FluentdConfigError) -> [UInt8]
    /// Existing files, sorted.
    func glob(_ pattern: String) -> [String]
}

struct FluentdConfigReader {
    static let depthMax = 32
    static let includedFilesMax = 500

    let files: any FluentdFiles
    /// Files read, in order.
    private(set) var paths: [String] = []
    /// Includes that found no file, which Fluentd passes over.
    private(set) var emptyIncludes: [FluentdPlace] = []

    init(files: any FluentdFiles) { self.files = files }

    mutating func read(_ path: String) throws(FluentdConfigError) -> FluentdSection {
        var root = FluentdSection(name: "", argument: FluentdValue(""), place: FluentdPlace(file: path, line: 0))
        let suffix = path.split(separator: ".").last.map(String.init) ?? ""
        if ["rb", "yaml", "yml"].contains(suffix) {
            throw FluentdConfigError(
                place: root.place, cause: "configurations in Ruby or YAML are not read",
                hint: "give the configuration in Fluentd's own form: <source> … </source>")
        }
        try read(path, into: &root, includedFrom: [])
        return root
    }

    private mutating func read(
        _ path: String, into section: inout FluentdSection, includedFrom: [String]
    ) throws(FluentdConfigError) {
        let bytes = try files.read(path)
        if let place = Self.firstInvalid(bytes, path) {
            throw FluentdConfigError(place: place, cause: "is not UTF-8 text", hint: "save the file as UTF-8")
        }
        paths.append(path)
        var scanner = FluentdScanner(file: path, bytes: bytes)
        try body(&scanner, into: &section, isOpen: false, depth: 0, includedFrom: includedFrom + [path])
    }

    private static func firstInvalid(_ bytes: [UInt8], _ path: String) -> FluentdPlace? {
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        where String(validating: line, as: UTF8.self) == nil {
            return FluentdPlace(file: path, line: index + 1)
        }
        return FluentdPlace(file: path, line: 0)
    }

    /// The inside of a section up to its end tag, or of a file to its end.
    private mutating func body(
        _ scanner: inout FluentdScanner, into section: inout FluentdSection, isOpen: Bool, depth: Int,
        includedFrom: [String]
    ) throws(FluentdConfigError) {
        guard depth < Self.depthMax else {
            throw scanner.failure("sections are nested more than \(Self.depthMax) deep")
        }
        while true {
            scanner.skipSpacing()
            if scanner.isAtEnd {
                guard isOpen else { return }
                throw FluentdConfigError(
                    place: section.place, cause: "<\(section.name)> begins here and is not closed",
                    hint: "add </\(section.name)>")
            }
            if scanner.begins(with: "</") {
                try endTag(&scanner, of: section, isOpen: isOpen)
                return
            }
            if scanner.byte == UInt8(ascii: "<") {
                try child(&scanner, into: &section, depth: depth, includedFrom: includedFrom)
                continue
            }
            let place = scanner.place
            let key = scanner.key()
            if key == "@include" || (key == "include" && !isOpen) {
                let value = try scanner.value()
                try include(value, at: place, into: &section, includedFrom: includedFrom)
                continue
            }
            guard !key.contains("<"), !key.contains(">") else {
                throw FluentdConfigError(
                    place: place, cause: "a setting or a section is expected here",
                    hint: "a section begins on a line of its own: <source>")
            }
            section.settings.append(FluentdSetting(key: key, value: try scanner.value(), place: place))
        }
    }

    private func endTag(
        _ scanner: inout FluentdScanner, of section: FluentdSection, isOpen: Bool
    ) throws(FluentdConfigError) {
        let place = scanner.place
        scanner.at += 2
        let name = try scanner.sectionName()
        scanner.skipBlanks()
        guard scanner.byte == UInt8(ascii: ">") else {
            throw scanner.failure("`>` is missing", hint: "write </\(name)>")
        }
        scanner.at += 1
        try scanner.endLine(after: "the end tag")
        guard isOpen else {
            throw FluentdConfigError(place: place, cause: "</\(name)> ends nothing", hint: "take it out")
        }
        guard name == section.name else {
            throw FluentdConfigError(
                place: place,
                cause: "</\(name)> stands where <\(section.name)> of line \(section.place.line) should end",
                hint: "write </\(section.name)>, or begin <\(name)> first")
        }
    }

    private mutating func child(
        _ scanner: inout FluentdScanner, into section: inout FluentdSection, depth: Int, includedFrom: [String]
    ) throws(FluentdConfigError) {
        let place = scanner.place
        scanner.at += 1
        let name = try scanner.sectionName()
        var argument = try scanner.argument()
        // The oldest form: <include file/>
        if name == "include", let text = argument.text, text.hasSuffix("/") {
            argument = FluentdValue(String(text.dropLast()).trimmingBlanks)
            return try include(argument, at: place, into: &section, includedFrom: includedFrom)
        }
        var child = FluentdSection(name: name, argument: argument, place: place)
        try body(&scanner, into: &child, isOpen: true, depth: depth + 1, includedFrom: includedFrom)
        section.sections.append(child)
    }

    private mutating func include(
        _ value: FluentdValue, at place: FluentdPlace, into section: inout FluentdSection, includedFrom: [String]
    ) throws(FluentdConfigError) {
        func failure(_ cause: String, _ hint: String) -> FluentdConfigError {
            FluentdConfigError(place: place, cause: cause, hint: hint)
        }
        guard var path = value.text, !path.isEmpty else {
            throw failure(
                "the file to include is not given as plain text", "write the path out: @include conf.d/*.conf")
        }
        if let scheme = path.firstRange(of: "://") {
            guard path[..<scheme.lowerBound] == "file" else {
                throw failure("files from the network are not included", "put a copy beside this file and include that")
            }
            path = String(path[scheme.upperBound...])
        }
        if !path.hasPrefix("/") { path = Self.folder(of: place.file) + path }
        let found = files.glob(path)
        if found.isEmpty { emptyIncludes.append(place) }
        for file in found {
            guard !includedFrom.contains(file), includedFrom.count < Self.depthMax else {
                throw failure("the file includes itself", "take one of the includes out")
            }
            guard paths.count < Self.includedFilesMax else {
                throw failure("more than \(Self.includedFilesMax) files are included", "import parts of it")
            }
            try read(file, into: &section, includedFrom: includedFrom)
        }
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }
}

extension String {
    /// Without spaces and tabs at both ends.
    var trimmingBlanks: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let last = lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(self[...last].drop(while: isBlank))
    }
}
