// Drupal's own messages of the types `page not found` and `access denied` are the requested path, as check_plain()
// gives it: so the address of a reading tells what its message must be, and a client cannot make a wrong reading agree
// without making the right one agree as well. Rules: request_path() and check_plain() in includes/bootstrap.inc,
// php_syslog() of PHP 7.3 and later for control bytes.

enum DrupalPathCheck {
    enum Result {
        /// Also where Drupal resolves aliases, and for the front page.
        case differs
        case agrees
        /// Both are empty, as for a path that is not UTF-8.
        case agreesEmpty
    }

    static func applies(to type: Bytes) -> Bool { type.equals("page not found") || type.equals("access denied") }

    static func compare(requestURI: Bytes, baseURL: Bytes, message: Bytes) -> Result {
        let path = trimSlashes(path(of: requestURI, baseURL: baseURL))
        // check_plain() gives nothing for text that is not UTF-8.
        if message.isEmpty { return path.isEmpty || !isUTF8(path) ? .agreesEmpty : .differs }
        return isEscaped(path, in: message) && isUTF8(path) ? .agrees : .differs
    }

    /// The part of the address that request_path() takes: `?q=` when it is there, else what follows the site's folder.
    private static func path(of uri: Bytes, baseURL: Bytes) -> Bytes {
        let rootEnd = DrupalForm.root(uri).count
        let queryStart = uri.place(of: UInt8(ascii: "?"), from: rootEnd)
        if queryStart < uri.count, let value = lastQ(in: uri.part(from: queryStart + 1)) { return value }
        let path = uri.part(rootEnd, queryStart)
        let folder = baseURL.part(from: min(rootEnd, baseURL.count))
        let isBelowFolder = folder.count <= path.count && path.part(0, folder.count).equals(folder)
        return isBelowFolder ? path.part(from: folder.count) : path
    }

    /// The last `q=` of a query string, as PHP has it.
    private static func lastQ(in query: Bytes) -> Bytes? {
        var result: Bytes?
        var start = 0
        while start < query.count {
            let end = query.place(of: UInt8(ascii: "&"), from: start)
            if query.part(start, end).begins(with: "q=", at: 0) { result = query.part(start + 2, end) }
            start = end + 1
        }
        return result
    }

    /// The next byte that urldecode() gives.
    @inline(__always)
    private static func next(in text: Bytes, at position: inout Int) -> UInt8 {
        let byte = text[position]
        position += 1
        if byte == UInt8(ascii: "+") { return Ascii.space }
        guard byte == Ascii.percent, position + 1 < text.count, Ascii.isHexDigit(text[position]),
            Ascii.isHexDigit(text[position + 1])
        else { return byte }
        position += 2
        return hexValue(text[position - 2]) << 4 | hexValue(text[position - 1])
    }

    private static func hexValue(_ digit: UInt8) -> UInt8 {
        Ascii.isDigit(digit) ? digit & 0x0F : (digit & 0x0F) + 9
    }

    /// Slashes at both ends go after decoding, so encoded ones go as well.
    private static func trimSlashes(_ text: Bytes) -> Bytes {
        var start = 0
        var end = text.count
        while start < end {
            var after = start
            guard next(in: text, at: &after) == Ascii.slash else { break }
            start = after
        }
        while end > start {
            if text[end - 1] == Ascii.slash {
                end -= 1
            } else if end - start >= 3, text[end - 3] == Ascii.percent, text[end - 2] == UInt8(ascii: "2"),
                text[end - 1] | 0x20 == UInt8(ascii: "f")
            {
                end -= 3
            } else {
                break
            }
        }
        return text.part(start, end)
    }

    /// As htmlspecialchars() has it: no overlong forms, no surrogates (Unicode 15, table 3-7).
    private static func isUTF8(_ text: Bytes) -> Bool {
        var position = 0
        while position < text.count {
            let lead = next(in: text, at: &position)
            if lead < 0x80 { continue }
            guard lead >= 0xC2, lead <= 0xF4 else { return false }
            var lowest: UInt8 = lead == 0xE0 ? 0xA0 : (lead == 0xF0 ? 0x90 : 0x80)
            var highest: UInt8 = lead == 0xED ? 0x9F : (lead == 0xF4 ? 0x8F : 0xBF)
            for _ in 0..<(lead >= 0xF0 ? 3 : (lead >= 0xE0 ? 2 : 1)) {
                guard position < text.count else { return false }
                let byte = next(in: text, at: &position)
                guard byte >= lowest, byte <= highest else { return false }
                (lowest, highest) = (0x80, 0xBF)
            }
        }
        return true
    }

    /// True when `message` is check_plain() of the path, or of its first line where PHP cut the message there.
    private static func isEscaped(_ path: Bytes, in message: Bytes) -> Bool {
        var position = 0
        var pathPosition = 0
        while pathPosition < path.count {
            let byte = next(in: path, at: &pathPosition)
            // strip_tags() removes NULs.
            if byte == 0 { continue }
            if byte == Ascii.lineFeed, position == message.count { return true }
            guard let after = skip(byte, in: message, at: position) else { return false }
            position = after
        }
        return position == message.count
    }

    private static func skip(_ byte: UInt8, in message: Bytes, at position: Int) -> Int? {
        let text: StaticString
        switch byte {
        case UInt8(ascii: "&"): text = "&amp;"
        case UInt8(ascii: "\""): text = "&quot;"
        case UInt8(ascii: "'"): text = "&#039;"
        case Ascii.less: text = "&lt;"
        case Ascii.greater: text = "&gt;"
        default:
            guard position < message.count else { return nil }
            if message[position] == byte { return position + 1 }
            guard byte < 0x20 || byte == 0x7F else { return nil }
            return message.begins(with: "\\x", at: position) && isHex(byte, in: message, at: position + 2)
                ? position + 4 : nil
        }
        return message.begins(with: text, at: position) ? position + text.utf8CodeUnitCount : nil
    }

    private static func isHex(_ byte: UInt8, in message: Bytes, at position: Int) -> Bool {
        guard position + 2 <= message.count else { return false }
        let (high, low) = (message[position], message[position + 1])
        return Ascii.isHexDigit(high) && Ascii.isHexDigit(low) && hexValue(high) << 4 | hexValue(low) == byte
    }
}
