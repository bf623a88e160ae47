// The forms that values of Drupal's fields have. A form that fails rules a reading out; what merely looks odd counts
// as doubt (DrupalDoubt.swift).

import Glibc

enum DrupalForm {
    /// Of an epoch: years 1973 to 5138.
    static let epochDigitCounts = 9...11
    /// Of a user id: Drupal stores an unsigned 32-bit number.
    static let uidDigitCounts = 1...10
    static let digitCountMax = 11

    static func isDigits(_ text: Bytes, _ counts: ClosedRange<Int>) -> Bool {
        counts.contains(text.count) && text.allSatisfy { Ascii.isDigit($0) }
    }

    /// `http://host…` without blanks. The host is the request's, which Drupal checks; the path may be anything that
    /// `scripts/drupal.sh` was called by: `http://site.example.orgscripts`.
    static func isBaseURL(_ text: Bytes) -> Bool {
        let host = authorityStart(text)
        return host > 0 && host < text.count && text.allSatisfy { $0 > Ascii.space && $0 != 0x7F }
    }

    /// 0 to 7; a site whose Drupal does not know the token leaves it in the text.
    static func isSeverity(_ text: Bytes) -> Bool {
        (text.count == 1 && text[0] &- 0x30 < 8) || text.equals(DrupalField.severity.token)
    }

    /// The place after `http://` or `https://`; 0 when the text begins otherwise.
    @inline(__always)
    static func authorityStart(_ text: Bytes) -> Int {
        if text.begins(with: "http://", at: 0) { return 7 }
        return text.begins(with: "https://", at: 0) ? 8 : 0
    }

    /// `http://host` of a URL, without the path; none for other text.
    static func root(_ url: Bytes) -> Bytes {
        let start = authorityStart(url)
        return start == 0 ? .none : url.part(0, url.place(of: Ascii.slash, from: start))
    }

    /// The length of `http://host` when `uri` begins with it, of the same host as the base URL, and a slash; else nil.
    /// Drupal makes `request_uri` from the scheme and host of the base URL, a slash, and what the client asked for. In
    /// scripts the base URL has its path appended to the host without a slash.
    static func sharedRoot(_ uri: Bytes, _ baseURL: Bytes) -> Int? {
        let root = root(uri)
        guard root.count > authorityStart(uri), root.count < uri.count, Self.root(baseURL).count >= root.count,
            baseURL.part(0, root.count).equals(root)
        else { return nil }
        return root.count
    }

    /// A request address that is not of the site's host (reverse proxies), or none (command line, Drupal 8).
    static func isRequestURIOfAnySite(_ uri: Bytes) -> Bool {
        uri.isEmpty || uri[0] == Ascii.slash || authorityStart(uri) > 0
    }

    /// `scheme:` at the start (RFC 3986 section 3.1).
    static func isURL(_ text: Bytes) -> Bool {
        guard let first = text.first, Ascii.isLetter(first) else { return false }
        var i = 1
        let end = min(text.count, schemeByteCountMax)
        while i < end, isSchemeByte(text[i]) { i += 1 }
        return i < end && text[i] == Ascii.colon
    }

    private static let schemeByteCountMax = 32

    @inline(__always)
    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        Ascii.isLetter(byte) || Ascii.isDigit(byte) || byte == Ascii.dash || byte == Ascii.dot
            || byte == UInt8(ascii: "+")
    }

    /// An IPv4 or IPv6 address, also with port, brackets or zone, or `unknown`, which proxies write.
    static func isAddress(_ text: Bytes) -> Bool {
        isIPv4(text) || isIPv6(text) || text.equals("unknown")
    }

    private static func isIPv4(_ text: Bytes) -> Bool {
        var position = 0
        for group in 0..<4 {
            guard let (_, end) = text.number(at: position, digitCountMax: 3) else { return false }
            position = end
            guard group < 3 else { break }
            guard position < text.count, text[position] == Ascii.dot else { return false }
            position += 1
        }
        return isPort(text, at: position)
    }

    private static func isIPv6(_ text: Bytes) -> Bool {
        guard text.count <= 64 else { return false }
        var position = text.first == Ascii.openBracket ? 1 : 0
        let isBracketed = position == 1
        var colons = 0
        while position < text.count {
            let byte = text[position]
            guard byte == Ascii.colon || byte == Ascii.dot || Ascii.isHexDigit(byte) else { break }
            if byte == Ascii.colon { colons += 1 }
            position += 1
        }
        guard colons >= 2 else { return false }
        if position < text.count, text[position] == Ascii.percent {
            position += 1
            while position < text.count, Ascii.isLetter(text[position]) || Ascii.isDigit(text[position]) {
                position += 1
            }
        }
        guard isBracketed else { return position == text.count }
        return position < text.count && text[position] == Ascii.closeBracket && isPort(text, at: position + 1)
    }

    /// Nothing, or `:` and a port, up to the end.
    private static func isPort(_ text: Bytes, at position: Int) -> Bool {
        if position == text.count { return true }
        guard text[position] == Ascii.colon, let (_, end) = text.number(at: position + 1, digitCountMax: 5) else {
            return false
        }
        return end == text.count
    }
}

extension UnsafeRawBufferPointer {
    /// The first place at or after `from` where `literal` stands whole; nil when there is none.
    @inline(__always)
    func place(of literal: Bytes, from: Int) -> Int? {
        guard literal.count == 1 else { return placeOfLong(literal, from: from) }
        let position = place(of: literal[0], from: from)
        return position < count ? position : nil
    }

    private func placeOfLong(_ literal: Bytes, from: Int) -> Int? {
        guard let first = literal.first else { return from <= count ? from : nil }
        var position = from
        while true {
            position = place(of: first, from: position)
            guard position + literal.count <= count else { return nil }
            if holds(literal, at: position) { return position }
            position += 1
        }
    }

    @inline(__always)
    func holds(_ literal: Bytes, at position: Int) -> Bool {
        guard position >= 0, position + literal.count <= count else { return false }
        if literal.count == 1 { return self[position] == literal[0] }
        return part(position, position + literal.count).equals(literal)
    }
}
