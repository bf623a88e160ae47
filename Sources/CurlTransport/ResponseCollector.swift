// The response as it arrives: status line, header lines, body chunks. Interim responses (1xx) leave nothing behind.
import HTTP

/// Confined to the event loop. Refuses what passes the limits; the transfer then ends with `problem`.
struct ResponseCollector {
    enum Problem: Equatable { case bodyTooLarge, headersTooLarge }

    /// All header lines of one response. S3 and Kinesis send under 8 KiB.
    static let headerBytesMax = 256 << 10

    private(set) var response = HTTPResponse(status: 0)
    private(set) var problem: Problem?
    private let bodyBytesMax: Int
    private let expectsBody: Bool
    private var headerBytes = 0
    private var isPastHeaders = false

    init(bodyBytesMax: Int, expectsBody: Bool) {
        self.bodyBytesMax = bodyBytesMax
        self.expectsBody = expectsBody
    }

    /// One header line with its line end, as libcurl hands it over. False ends the transfer.
    mutating func addHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= ResponseCollector.headerBytesMax else {
            problem = .headersTooLarge
            return false
        }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            response = HTTPResponse(status: 0)
            isPastHeaders = false
            let parts = text.split(separator: " ", maxSplits: 2)
            response.status = parts.count > 1 ? Int(parts[1].prefix(3)) ?? 0 : 0
            return true
        }
        if text.allSatisfy(\.isNewline) {
            isPastHeaders = true
            return reserveBody()
        }
        // Trailers after a chunked body change nothing that a caller reads.
        guard !isPastHeaders else { return true }
        if let first = text.first, first == " " || first == "\t", let last = response.headers.indices.last {
            response.headers[last].value += " " + trimmed(text[...])
        } else if let colon = text.firstIndex(of: ":") {
            let name = trimmed(text[..<colon])
            response.headers.append(HTTPHeader(name, trimmed(text[text.index(after: colon)...])))
        }
        return true
    }

    mutating func addBody(_ chunk: UnsafeRawBufferPointer) -> Bool {
        guard response.body.count + chunk.count <= bodyBytesMax else {
            problem = .bodyTooLarge
            return false
        }
        response.body.append(contentsOf: chunk)
        return true
    }

    private mutating func reserveBody() -> Bool {
        guard expectsBody, response.status >= 200, let text = response.header("content-length"),
            let announced = Int(text)
        else { return true }
        guard announced <= bodyBytesMax else {
            problem = .bodyTooLarge
            return false
        }
        response.body.reserveCapacity(max(0, announced))
        return true
    }
}

/// Without white space at both ends, line ends included (RFC 9110 section 5.5).
private func trimmed(_ text: Substring) -> String {
    func isBlank(_ c: Character) -> Bool { c == " " || c == "\t" || c.isNewline }
    guard let first = text.firstIndex(where: { !isBlank($0) }),
        let last = text.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(text[first...last])
}
