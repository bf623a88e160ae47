import AWS
import HTTP

extension FakeCloud.Content {
    private static let keysPerPage = 3

    mutating func s3(_ request: HTTPRequest) -> HTTPResponse {
        let path = String(decoding: PercentEncoding.decode(request.target.path), as: UTF8.self)
        // `/bucket/key`, or `/bucket` for a listing.
        let parts = path.dropFirst().split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return list(request.target.query ?? "") }
        let key = String(parts[1])
        switch request.method {
        case "PUT": return put(key, request)
        case "HEAD":
            guard let object = objects[key] else { return HTTPResponse(status: 404) }
            var response = HTTPResponse(status: 200, headers: headers(object))
            response.body = object.bytes
            return response
        default:
            guard let object = objects[key] else {
                return HTTPResponse(status: 404, body: Array("<Error><Code>NoSuchKey</Code></Error>".utf8))
            }
            return HTTPResponse(status: 200, headers: headers(object), body: object.bytes)
        }
    }

    private func headers(_ object: FakeObject) -> [HTTPHeader] {
        [HTTPHeader("ETag", object.etag)] + object.metadata.map { HTTPHeader("x-amz-meta-\($0.key)", $0.value) }
    }

    private mutating func put(_ key: String, _ request: HTTPRequest) -> HTTPResponse {
        let absent = request.value("if-none-match") != nil
        let match = request.value("if-match")
        if (absent && objects[key] != nil) || (match != nil && objects[key]?.etag != match) {
            return HTTPResponse(status: 412, body: Array("<Error><Code>PreconditionFailed</Code></Error>".utf8))
        }
        writes += 1
        var metadata: [String: String] = [:]
        for header in request.headers where header.name.hasPrefix("x-amz-meta-") {
            metadata[String(header.name.dropFirst("x-amz-meta-".count))] = header.value
        }
        let bytes = request.bodyBytes
        // Equal bytes have an equal ETag, as in S3.
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        objects[key] = FakeObject(bytes: bytes, metadata: metadata, etag: "\"\(hash)\"")
        return HTTPResponse(status: 200, headers: [HTTPHeader("ETag", "\"\(hash)\"")])
    }

    private func list(_ query: String) -> HTTPResponse {
        var fields: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(sides[0])] = String(decoding: PercentEncoding.decode(String(sides[1])), as: UTF8.self)
        }
        let after = fields["start-after"] ?? ""
        let found = objects.keys.filter { $0.hasPrefix(fields["prefix"] ?? "") && $0 > after }.sorted()
        let page = found.prefix(Self.keysPerPage)
        let entries = page.map { "<Contents><Key>\($0)</Key><Size>\(objects[$0]?.bytes.count ?? 0)</Size></Contents>" }
        let isCut = found.count > page.count
        let text =
            "<ListBucketResult><IsTruncated>\(isCut)</IsTruncated>"
            + (isCut ? "<NextContinuationToken>t</NextContinuationToken>" : "") + entries.joined()
            + "</ListBucketResult>"
        return HTTPResponse(status: 200, body: Array(text.utf8))
    }
}
