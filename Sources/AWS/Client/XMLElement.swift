// The little XML that S3 and STS answer with: elements, text, entities, CDATA. Attributes and name-space prefixes are
// passed over; comments, processing instructions and the XML declaration are skipped. Never resolves anything outside.

/// One element with its children; `text` is its own character data, trimmed of nothing.
package struct XMLElement: Sendable, Equatable {
    package var name: String
    package var text = ""
    package var children: [XMLElement] = []

    /// Deeper nesting is refused.
    package static let depthMax = 32

    /// The document's root, or nil when `bytes` is no such document.
    package static func parse(_ bytes: [UInt8]) -> XMLElement? {
        var parser = XMLParser(bytes: bytes)
        return parser.document()
    }

    package func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }
    package func childText(_ name: String) -> String? { child(name)?.text }

    /// The first element of this name, this one included, depth first.
    package func firstDescendant(_ name: String) -> XMLElement? {
        if self.name == name { return self }
        for child in children {
            if let found = child.firstDescendant(name) { return found }
        }
        return nil
    }
}

private struct XMLParser {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() -> XMLElement? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        guard skipMisc(), let root = element(depth: 0), skipMisc() == false, position == bytes.count else { return nil }
        return root
    }

    /// Skips white space, comments, declarations; true when an element starts here.
    private mutating func skipMisc() -> Bool {
        while position < bytes.count {
            if isSpace(bytes[position]) {
                position += 1
            } else if starts(with: "<?") {
                guard skip(past: "?>") else { return false }
            } else if starts(with: "<!--") {
                guard skip(past: "-->") else { return false }
            } else if starts(with: "<!") {
                guard skip(past: ">") else { return false }
            } else {
                return bytes[position] == UInt8(ascii: "<")
            }
        }
        return false
    }

    private mutating func element(depth: Int) -> XMLElement? {
        guard depth < XMLElement.depthMax, take("<"), let name = name() else { return nil }
        var element = XMLElement(name: name)
        guard let isEmpty = restOfTag() else { return nil }
        if isEmpty { return element }
        var text: [UInt8] = []
        while position < bytes.count {
            if starts(with: "</") {
                position += 2
                guard self.name() == name else { return nil }
                while position < bytes.count, isSpace(bytes[position]) { position += 1 }
                guard take(">") else { return nil }
                element.text = String(decoding: text, as: UTF8.self)
                return element
            } else if starts(with: "<![CDATA[") {
                position += 9
                let start = position
                guard skip(past: "]]>") else { return nil }
                text += bytes[start..<(position - 3)]
            } else if starts(with: "<!--") {
                guard skip(past: "-->") else { return nil }
            } else if starts(with: "<?") {
                guard skip(past: "?>") else { return nil }
            } else if bytes[position] == UInt8(ascii: "<") {
                guard let child = self.element(depth: depth + 1) else { return nil }
                element.children.append(child)
            } else if bytes[position] == UInt8(ascii: "&") {
                text += entity()
            } else {
                text.append(bytes[position])
                position += 1
            }
        }
        return nil
    }

    /// After the name: attributes up to `>` or `/>`. True for an empty element, nil when the text ends.
    private mutating func restOfTag() -> Bool? {
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return position >= 2 && bytes[position - 2] == UInt8(ascii: "/")
            }
        }
        return nil
    }

    /// A name without its prefix.
    private mutating func name() -> String? {
        let start = position
        while position < bytes.count, !isSpace(bytes[position]), bytes[position] != UInt8(ascii: ">"),
            bytes[position] != UInt8(ascii: "/"), bytes[position] != UInt8(ascii: "<")
        {
            position += 1
        }
        let full = bytes[start..<position]
        guard !full.isEmpty else { return nil }
        let local = full.lastIndex(of: UInt8(ascii: ":")).map { full[($0 + 1)...] } ?? full
        return String(decoding: local, as: UTF8.self)
    }

    /// An entity that is not known stays as it is.
    private mutating func entity() -> [UInt8] {
        let lengthMax = 12
        guard
            let end = bytes[position..<min(position + lengthMax, bytes.count)].firstIndex(of: UInt8(ascii: ";"))
        else {
            position += 1
            return [UInt8(ascii: "&")]
        }
        let name = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
        let known = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
        let text: String?
        if name.hasPrefix("#x") || name.hasPrefix("#X") {
            text = UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init).map { String(Character($0)) }
        } else if name.hasPrefix("#") {
            text = UInt32(name.dropFirst(1)).flatMap(Unicode.Scalar.init).map { String(Character($0)) }
        } else {
            text = known[name]
        }
        guard let text else {
            position += 1
            return [UInt8(ascii: "&")]
        }
        position = end + 1
        return Array(text.utf8)
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private func starts(with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for i in 0..<count where bytes[position + i] != text.utf8Start[i] { return false }
        return true
    }

    private mutating func take(_ text: StaticString) -> Bool {
        guard starts(with: text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    private mutating func skip(past text: StaticString) -> Bool {
        while position < bytes.count {
            if take(text) { return true }
            position += 1
        }
        return false
    }
}
