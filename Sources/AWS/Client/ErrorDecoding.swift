// Turns an answer into an error, or nil when it is none. Both wire forms are read tolerantly: a proxy's HTML page must
// still give a useful message.

import Diagnostics
import HTTP

enum ErrorDecoding {
    /// Longer messages are cut: they end up in one line of a log.
    static let messageBytesMax = 500

    static func error(in response: HTTPResponse, to call: AWSCall) -> AWSError? {
        let isSuccess = (200..<300).contains(response.status)
        if isSuccess {
            guard call.mayHideErrorInSuccess, looksLikeErrorDocument(response.body) else { return nil }
        }
        let found = call.errorFormat == .json ? json(response) : xml(response)
        let code = found.code ?? ErrorCatalog.code(status: response.status)
        let category = ErrorCatalog.category(code: code, status: response.status)
        return AWSError(
            operation: call.operation, subject: call.subject, status: response.status, code: code,
            message: cut(found.message ?? ""), requestID: found.requestID ?? requestID(response),
            hint: ErrorAdvice.hint(code: code, category: category, call: call), category: category,
            exitCode: ErrorCatalog.expiredPositions.contains(code) ? .temporary : nil,
            bucketRegion: bucketRegion(response, found: found.region, call: call))
    }

    private struct Found {
        var code: String?
        var message: String?
        var requestID: String?
        var region: String?
    }

    /// `{"__type":"prefix#Code","message":"…"}`; some services name the type in a header only, with a URL behind `:`.
    private static func json(_ response: HTTPResponse) -> Found {
        let body = try? JSONValue(response.body)
        let type = response.header("x-amzn-errortype") ?? body?["__type"]?.string ?? body?["code"]?.string
        let code = type.map { text in
            let name = text.prefix { $0 != ":" }
            return String(name.split(separator: "#").last ?? name).trimmingSpaces()
        }
        let message = body?["message"]?.string ?? body?["Message"]?.string
        return Found(code: code.flatMap { $0.isEmpty ? nil : $0 }, message: message)
    }

    /// `<Error><Code>` (S3), `<ErrorResponse><Error><Code>` (STS).
    private static func xml(_ response: HTTPResponse) -> Found {
        guard let root = XMLElement.parse(response.body), let error = root.firstDescendant("Error") else {
            return Found()
        }
        let requestID = error.childText("RequestId") ?? root.childText("RequestId")
        return Found(
            code: error.childText("Code")?.trimmingSpaces(), message: error.childText("Message"),
            requestID: requestID, region: error.childText("Region"))
    }

    private static func requestID(_ response: HTTPResponse) -> String? {
        response.header("x-amzn-requestid") ?? response.header("x-amz-request-id")
    }

    /// Only answers that mean "wrong region" are believed: S3 names the region in refusals of other kinds, too.
    private static func bucketRegion(_ response: HTTPResponse, found: String?, call: AWSCall) -> String? {
        guard call.errorFormat == .xml, [301, 302, 307, 308, 400, 403].contains(response.status) else { return nil }
        return response.header("x-amz-bucket-region") ?? found
    }

    /// The root element is `Error`: read from the first bytes, as a good answer can be long.
    private static func looksLikeErrorDocument(_ body: [UInt8]) -> Bool {
        guard body.count <= 64 << 10 else { return false }
        return XMLElement.parse(body)?.name == "Error"
    }

    private static func cut(_ message: String) -> String {
        let line = message.trimmingSpaces()
        guard line.utf8.count > messageBytesMax else { return line }
        return String(decoding: line.utf8.prefix(messageBytesMax), as: UTF8.self) + "…"
    }
}

extension String {
    /// Without white space at either end.
    func trimmingSpaces() -> String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
