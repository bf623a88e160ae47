// The first stage of SigV4: one text form of a request that both sides arrive at.

package import HTTP

package struct CanonicalRequest: Sendable, Equatable {
    package var text: String
    /// Lower-case names, sorted, joined by `;`.
    package var signedHeaders: String
}

extension SigV4 {
    /// Headers that proxies and clients may change on the way; the official suite and the AWS SDKs leave them out.
    private static let neverSigned: Set<String> = [
        "authorization", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    ]

    package func canonicalRequest(_ request: SigningRequest) -> CanonicalRequest {
        let headers = canonicalHeaders(request.headers)
        let signedHeaders = headers.map(\.name).joined(separator: ";")
        let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
        let text = [
            request.method, canonicalPath(request.path), canonicalQuery(request.query ?? ""), lines, signedHeaders,
            request.payloadHash,
        ].joined(separator: "\n")
        return CanonicalRequest(text: text, signedHeaders: signedHeaders)
    }

    package func canonicalPath(_ path: String) -> String {
        if path == "/" { return path }
        let resolved = rules.normalizesPath ? Self.normalized(path) : (path.isEmpty ? "/" : path)
        return rules.encodesPathAgain ? PercentEncoding.encode(resolved, keepsSlash: true) : resolved
    }

    /// Parameters sorted by encoded name, then value; a parameter without `=` gets one.
    package func canonicalQuery(_ query: String) -> String {
        let pairs = query.split(separator: "&").map { part -> (name: String, value: String) in
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                Self.encodedOnce(String(halves[0])), halves.count > 1 ? Self.encodedOnce(String(halves[1])) : ""
            )
        }
        let sorted = pairs.sorted { a, b in
            a.name == b.name ? isBefore(a.value, b.value) : isBefore(a.name, b.name)
        }
        return sorted.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// Lower-case names, sorted; values trimmed, runs of white space as one space (folded lines too), several headers
    /// of one name joined by commas in the order of appearance.
    package func canonicalHeaders(_ headers: [HTTPHeader]) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for header in headers {
            let name = header.name.lowercased()
            if Self.neverSigned.contains(name) { continue }
            values[name, default: []].append(Self.collapsed(header.value))
        }
        return values.sorted { isBefore($0.key, $1.key) }.map { ($0.key, $0.value.joined(separator: ",")) }
    }

    private static func collapsed(_ value: String) -> String {
        // Most values hold no white space.
        if !value.utf8.contains(where: isSpace) { return value }
        let words = value.utf8.split(whereSeparator: isSpace)
        return words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Encoded exactly once, whether or not the wire form was encoded already.
    private static func encodedOnce(_ text: String) -> String {
        PercentEncoding.encode(bytes: PercentEncoding.decode(text))
    }

    /// RFC 3986 section 5.2.4, and empty segments removed; a trailing slash stays.
    private static func normalized(_ path: String) -> String {
        var kept: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." { _ = kept.popLast() } else { kept.append(segment) }
        }
        guard !kept.isEmpty else { return "/" }
        let endsInDirectory = path.hasSuffix("/") || path.hasSuffix("/.") || path.hasSuffix("/..")
        return "/" + kept.joined(separator: "/") + (endsInDirectory ? "/" : "")
    }
}

/// Order by bytes; `String`'s own order is by Unicode equivalence.
private func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
