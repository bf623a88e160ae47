// Steps through one configuration file: spaces, comments, words and lines, counting lines. After Fluentd's own rules
// (docs.fluentd.org, "Config File Syntax"); values are in FluentdScanner+Values.swift.

struct FluentdScanner {
    let file: String
    let bytes: [UInt8]
    var at = 0
    /// Counts from 1.
    private(set) var line = 1

    init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }

    var place: FluentdPlace { FluentdPlace(file: file, line: line) }
    var isAtEnd: Bool { at >= bytes.count }
    var byte: UInt8? { at < bytes.count ? bytes[at] : nil }
    var isAtLineEnd: Bool { isAtEnd || Self.isLineEnd(bytes[at]) }

    static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    func failure(_ cause: String, hint: String? = nil) -> FluentdConfigError {
        FluentdConfigError(place: place, cause: cause, hint: hint)
    }

    mutating func step() {
        if bytes[at] == 0x0A { line += 1 }
        at += 1
    }

    func begins(with text: StaticString) -> Bool {
        guard at + text.utf8CodeUnitCount <= bytes.count else { return false }
        for i in 0..<text.utf8CodeUnitCount where bytes[at + i] != text.utf8Start[i] { return false }
        return true
    }

    mutating func skipBlanks() {
        while let byte, Self.isBlank(byte) { at += 1 }
    }

    mutating func skipLine() {
        while !isAtLineEnd { at += 1 }
    }

    /// Over blanks, line ends and comments, to the next thing.
    mutating func skipSpacing() {
        while let byte {
            if byte == UInt8(ascii: "#") {
                skipLine()
            } else if Self.isBlank(byte) || Self.isLineEnd(byte) {
                step()
            } else {
                return
            }
        }
    }

    /// Nothing but blanks and a comment may stand on the rest of the line.
    mutating func endLine(after what: String) throws(FluentdConfigError) {
        skipBlanks()
        if byte == UInt8(ascii: "#") { skipLine() }
        guard isAtLineEnd else { throw failure("something follows \(what) on the same line") }
    }

    /// Letters, digits and `_`: the name of a section.
    mutating func sectionName() throws(FluentdConfigError) -> String {
        let start = at
        while let byte, Self.isNameByte(byte) { at += 1 }
        guard at > start else {
            throw failure(
                "the name of a section is expected after `<`", hint: "write <source>, <match tag> or </match>")
        }
        return text(start, at)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_")
    }

    /// The key of a setting: up to a blank or the end of the line.
    mutating func key() -> String {
        let start = at
        while let byte, !Self.isBlank(byte), !Self.isLineEnd(byte) { at += 1 }
        return text(start, at)
    }

    func text(_ from: Int, _ to: Int) -> String { String(decoding: bytes[from..<to], as: UTF8.self) }
}
