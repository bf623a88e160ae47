import HTTP

/// What S3 says of an object without sending it.
package struct ObjectHead: Sendable, Equatable {
    /// Bytes.
    package var length: Int
    /// Opaque; only good for If-Match.
    package var etag: String?
    /// Lower-case names without `x-amz-meta-`.
    package var metadata: [String: String]

    package init(length: Int, etag: String? = nil, metadata: [String: String] = [:]) {
        self.length = length
        self.etag = etag
        self.metadata = metadata
    }
}

package struct ObjectBody: Sendable, Equatable {
    package var bytes: [UInt8]
    package var etag: String?

    package init(bytes: [UInt8], etag: String? = nil) {
        self.bytes = bytes
        self.etag = etag
    }
}

extension S3Client {
    /// Nil when there is no such key. Without s3:ListBucket S3 answers 403 instead of 404, which is an error here.
    package func headObject(key: String) async throws(AWSError) -> ObjectHead? {
        var call = call("head object", permission: "s3:GetObject", method: "HEAD", key: key)
        call.companions = [.listBucket]
        do throws(AWSError) {
            return try await send(call, key: key) { (response: inout HTTPResponse) throws(AnswerFault) in
                guard let text = response.header("content-length"), let length = Int(text), length >= 0 else {
                    throw AnswerFault("an object without Content-Length")
                }
                var metadata: [String: String] = [:]
                for header in response.headers {
                    let name = header.name.lowercased()
                    if name.hasPrefix("x-amz-meta-") { metadata[String(name.dropFirst(11))] = header.value }
                }
                return ObjectHead(length: length, etag: response.header("etag"), metadata: metadata)
            }
        } catch {
            guard error.status == 404 else { throw error }
            return nil
        }
    }

    /// The whole object, or nil when there is no such key. One longer than `bytesMax` is an error, not a cut.
    package func getObject(key: String, bytesMax: Int) async throws(AWSError) -> ObjectBody? {
        var call = call("get object", permission: "s3:GetObject", method: "GET", key: key)
        call.companions = [.listBucket]
        call.limits.responseBytesMax = max(bytesMax, Self.errorBytesMax)
        do throws(AWSError) {
            let body = try await send(call, key: key) { (response: inout HTTPResponse) throws(AnswerFault) in
                if let text = response.header("content-length"), let length = Int(text),
                    length != response.body.count
                {
                    throw AnswerFault("\(response.body.count) bytes of \(length)")
                }
                return ObjectBody(bytes: response.body, etag: response.header("etag"))
            }
            guard body.bytes.count <= bytesMax else {
                throw call.error(
                    "TooLarge", "the object has more than \(bytesMax) bytes", category: .refused)
            }
            return body
        } catch {
            guard error.code == "NoSuchKey" else { throw error }
            return nil
        }
    }

    /// Room for an error document where the object itself is small.
    private static let errorBytesMax = 64 << 10
}
