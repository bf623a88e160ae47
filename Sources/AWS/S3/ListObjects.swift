import HTTP

package struct ListedObject: Sendable, Equatable {
    package var key: String
    /// Bytes.
    package var size: Int
    package var etag: String?

    package init(key: String, size: Int, etag: String? = nil) {
        self.key = key
        self.size = size
        self.etag = etag
    }
}

/// One answer of a listing.
package struct ObjectListPage: Sendable, Equatable {
    package var objects: [ListedObject]
    /// Give it back for the next page; nil on the last one.
    package var nextToken: String?
}

extension S3Client {
    /// Most pages of one `listObjects`: 10 million keys.
    package static let listPagesMax = 10_000
    /// Most keys S3 gives in a page.
    package static let keysPerPageMax = 1_000

    /// Keys below `prefix` in the order of their bytes, after `startAfter`, at most `limit` of them.
    package func listObjects(
        prefix: String, startAfter: String? = nil, limit: Int = Int.max
    ) async throws(AWSError) -> [ListedObject] {
        var objects: [ListedObject] = []
        try await forEachListPage(prefix: prefix, startAfter: startAfter, limit: limit) { page in
            objects += page
            return objects.count < limit
        }
        return objects.count > limit ? Array(objects.prefix(limit)) : objects
    }

    /// Calls `body` with each page of the listing until it says false.
    package func forEachListPage(
        prefix: String, startAfter: String? = nil, limit: Int = Int.max, _ body: ([ListedObject]) -> Bool
    ) async throws(AWSError) {
        var token: String?
        for _ in 0..<Self.listPagesMax {
            let page = try await listPage(
                prefix: prefix, startAfter: startAfter, token: token, keysMax: min(limit, Self.keysPerPageMax))
            guard body(page.objects), let next = page.nextToken else { return }
            token = next
        }
        throw listCall(prefix).error(
            "TooManyKeys", "more than \(Self.listPagesMax) pages of keys", category: .refused)
    }

    /// One page. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    package func listPage(
        prefix: String, startAfter: String? = nil, token: String? = nil, keysMax: Int = S3Client.keysPerPageMax
    ) async throws(AWSError) -> ObjectListPage {
        var call = listCall(prefix)
        // With encoding-type=url a key may hold bytes that XML cannot.
        var parameters = [("encoding-type", "url"), ("list-type", "2")]
        parameters.append(("max-keys", String(max(1, min(keysMax, Self.keysPerPageMax)))))
        parameters.append(("prefix", prefix))
        if let token {
            parameters.append(("continuation-token", token))
        } else if let startAfter {
            parameters.append(("start-after", startAfter))
        }
        call.query = parameters.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        return try await send(call, key: nil, decode: Self.listPage)
    }

    private func listCall(_ prefix: String) -> AWSCall {
        var call = call("list objects", permission: "s3:ListBucket", method: "GET")
        call.subject += prefix
        call.mayHideErrorInSuccess = true
        return call
    }

    private static func listPage(_ response: inout HTTPResponse) throws(AnswerFault) -> ObjectListPage {
        guard let root = XMLElement.parse(response.body), root.name == "ListBucketResult" else {
            throw AnswerFault("no ListBucketResult document")
        }
        let isEncoded = root.childText("EncodingType")?.lowercased() == "url"
        var objects: [ListedObject] = []
        for element in root.children where element.name == "Contents" {
            guard let key = element.childText("Key"), let text = element.childText("Size"), let size = Int(text) else {
                throw AnswerFault("a listed object without Key and Size")
            }
            let decoded =
                isEncoded
                ? String(decoding: PercentEncoding.decode(key, plusIsSpace: true), as: UTF8.self) : key
            objects.append(ListedObject(key: decoded, size: size, etag: element.childText("ETag")))
        }
        let isTruncated = root.childText("IsTruncated") == "true"
        let token = root.childText("NextContinuationToken")
        if isTruncated, (token ?? "").isEmpty { throw AnswerFault("a cut listing without NextContinuationToken") }
        return ObjectListPage(objects: objects, nextToken: isTruncated ? token : nil)
    }
}
