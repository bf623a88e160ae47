import HTTP

/// A stretch of an object.
package struct ObjectPart: Sendable, Equatable {
    package var bytes: [UInt8]
    /// Of the whole object.
    package var length: Int
    package var etag: String?

    package init(bytes: [UInt8], length: Int, etag: String? = nil) {
        self.bytes = bytes
        self.length = length
        self.etag = etag
    }
}

extension S3Client {
    /// Bytes of an object from `offset` on, at most `count`; nil when there is no such key. With `etag` the parts come
    /// from one and the same object: when another one stands there now, the error's category is `.precondition`.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, Range (RFC 9110 section 14)
    package func getObjectPart(
        key: String, offset: Int, count: Int, etag: String?
    ) async throws(AWSError) -> ObjectPart? {
        var call = call("get object", permission: "s3:GetObject", method: "GET", key: key)
        call.headers.append(HTTPHeader("Range", "bytes=\(offset)-\(offset + count - 1)"))
        if let etag { call.headers.append(HTTPHeader("If-Match", etag)) }
        // A store that ignores Range sends everything, which is refused when it is more.
        call.limits.responseBytesMax = max(count, 64 << 10)
        do throws(AWSError) {
            return try await send(call, key: key) { (response: inout HTTPResponse) throws(AnswerFault) in
                var body: [UInt8] = []
                swap(&body, &response.body)
                let etag = response.header("etag")
                guard response.status == 206 else {
                    guard offset == 0 else { throw AnswerFault("the whole object instead of a part") }
                    return ObjectPart(bytes: body, length: body.count, etag: etag)
                }
                guard let range = response.header("content-range"), let length = Self.length(range, offset, body.count)
                else { throw AnswerFault("a part that is not the one asked for") }
                return ObjectPart(bytes: body, length: length, etag: etag)
            }
        } catch {
            guard error.code == "NoSuchKey" else { throw error }
            return nil
        }
    }

    /// `bytes 0-99/1234`: the object's length, if the range is the one that was asked for.
    private static func length(_ text: String, _ offset: Int, _ count: Int) -> Int? {
        let sides = text.split(separator: "/")
        guard sides.count == 2, sides[0] == "bytes \(offset)-\(offset + count - 1)" else { return nil }
        return Int(sides[1])
    }
}
