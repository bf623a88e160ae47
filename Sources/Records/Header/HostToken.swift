// The first word after a BSD timestamp. RFC 3164 puts the host there, but local messages have none (`haproxy[73411]: x`)
// and IPv6 hosts look like tags, so the word itself must tell.

/// Whether the first word after the timestamp is a host name, a tag (no host was written) or text.
enum HostToken {
    case host(length: Int)
    case tag
    case text

    static func kind(of token: Bytes, followedBy rest: Bytes) -> HostToken {
        if token[0] == Ascii.percent { return .tag }
        if token[0] == Ascii.colon && token.count == 1 { return .tag }
        if token[0] == Ascii.openBracket { return isBracketedAddress(token) ? .host(length: token.count) : .text }
        var colonCount = 0
        var bracketCount = 0
        for byte in token {
            if byte == Ascii.colon { colonCount += 1 }
            if byte == Ascii.openBracket { bracketCount += 1 }
            if !isHostByte(byte) && byte != Ascii.openBracket && byte != Ascii.closeBracket {
                return mayBeTag(token) ? .tag : .text
            }
        }
        if bracketCount > 0 { return .tag }
        if colonCount == 0 || isAddress(token, colonCount) { return .host(length: token.count) }
        if token[token.count - 1] == Ascii.colon {
            // `10.0.0.1: %ASA-4-…` and `fw1: %LINK-3-…`: a host with a colon, then Cisco's tag.
            let name = token.part(0, token.count - 1)
            let isBeforeCiscoTag = colonCount == 1 && rest.count > 0 && rest[0] == Ascii.percent
            if isBeforeCiscoTag || isAddress(name, colonCount - 1) { return .host(length: name.count) }
        }
        return .tag
    }

    /// Letters of host names, addresses, and syslog-ng's chained names (`user@host/relay`).
    private static func isHostByte(_ byte: UInt8) -> Bool {
        if Ascii.isLetter(byte) || Ascii.isDigit(byte) || byte >= 0x80 { return true }
        return switch byte {
        case Ascii.dot, Ascii.dash, Ascii.colon, Ascii.percent, Ascii.slash, UInt8(ascii: "_"), UInt8(ascii: "@"),
            UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "*"), UInt8(ascii: "#"):
            true
        default: false
        }
    }

    /// `sshd(pam_unix):` is a tag without a host before it; `connection="x"` is text.
    private static func mayBeTag(_ token: Bytes) -> Bool {
        token[token.count - 1] == Ascii.colon
            && token.allSatisfy {
                TagParser.isTagByte($0) || $0 == Ascii.colon
                    || $0 == Ascii.openBracket || $0 == Ascii.closeBracket
            }
    }

    /// IPv4, IPv4 with a port, IPv6 with its zone, or a hardware address. A time of day (`12:30:01`) is none.
    private static func isAddress(_ token: Bytes, _ colonCount: Int) -> Bool {
        guard token.count > 0 else { return false }
        if colonCount >= 2 {
            let digits = token.part(0, token.place(of: Ascii.percent, from: 0))
            guard digits.allSatisfy({ Ascii.isHexDigit($0) || $0 == Ascii.colon || $0 == Ascii.dot }) else {
                return false
            }
            let endsInOneColon = token[token.count - 1] == Ascii.colon && token[token.count - 2] != Ascii.colon
            return !endsInOneColon && (colonCount >= 5 || holdsDoubleColon(digits))
        }
        var dotCount = 0
        for byte in token {
            if byte == Ascii.dot { dotCount += 1 }
            if byte != Ascii.dot && byte != Ascii.colon && !Ascii.isDigit(byte) { return false }
        }
        return dotCount == 3 && token[token.count - 1] != Ascii.colon
    }

    private static func holdsDoubleColon(_ token: Bytes) -> Bool {
        var i = token.place(of: Ascii.colon, from: 0)
        while i + 1 < token.count {
            if token[i + 1] == Ascii.colon { return true }
            i = token.place(of: Ascii.colon, from: i + 1)
        }
        return false
    }

    private static func isBracketedAddress(_ token: Bytes) -> Bool {
        guard token.count >= 4, token[token.count - 1] == Ascii.closeBracket else { return false }
        let inside = token.part(1, token.count - 1)
        let colonCount = inside.reduce(0) { $0 + ($1 == Ascii.colon ? 1 : 0) }
        return isAddress(inside, colonCount)
    }
}
