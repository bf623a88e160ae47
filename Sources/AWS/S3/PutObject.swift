package import HTTP

/// What must hold for a PUT to take effect.
package enum PutCondition: Sendable, Equatable {
    case none
    /// No object stands under the key (`If-None-Match: *`).
    case ifAbsent
    /// The object has this ETag, quotes included, as S3 gave it (`If-Match`).
    case ifMatch(String)
}

package enum PutOutcome: Sendable, Equatable {
    case stored(etag: String?)
    /// The condition did not hold. After a lost answer this may be our own earlier try.
    case preconditionFailed
}

/// How S3 should keep an object. Empty means the bucket's own rules.
package struct ObjectAttributes: Sendable, Equatable {
    /// `STANDARD_IA`, `GLACIER_IR`, …
    package var storageClass: String?
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    package var sse: String?
    package var kmsKeyID: String?
    /// At most ten.
    package var tags: [(String, String)]

    package init(
        storageClass: String? = nil, sse: String? = nil, kmsKeyID: String? = nil, tags: [(String, String)] = []
    ) {
        self.storageClass = storageClass
        self.sse = sse
        self.kmsKeyID = kmsKeyID
        self.tags = tags
    }

    package static let none = ObjectAttributes()

    package static func == (a: ObjectAttributes, b: ObjectAttributes) -> Bool {
        a.storageClass == b.storageClass && a.sse == b.sse && a.kmsKeyID == b.kmsKeyID
            && a.tags.elementsEqual(b.tags, by: ==)
    }
}

extension S3Client {
    /// Puts one object, whole or not at all. The body is sent with its length and signed by `sha256` (lower-case hex):
    /// a changed byte is refused by S3. Metadata: names without `x-amz-meta-`, values of printable ASCII, 2 KB in all.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    package func putObject(
        key: String, body: HTTPBody, sha256: String, contentType: String, metadata: [(String, String)] = [],
        condition: PutCondition = .none, attributes: ObjectAttributes = .none
    ) async throws(AWSError) -> PutOutcome {
        var call = call("put object", permission: "s3:PutObject", method: "PUT", key: key)
        call.body = body
        call.payloadHash = sha256
        call.mayHideErrorInSuccess = true
        call.headers.append(HTTPHeader("Content-Type", contentType))
        switch condition {
        case .none: break
        case .ifAbsent: call.headers.append(HTTPHeader("If-None-Match", "*"))
        case .ifMatch(let etag):
            call.headers.append(HTTPHeader("If-Match", etag))
            call.companions.append(.compareETag)
        }
        call.companions += Self.companions(attributes)
        guard let digest = bytesOfHex(sha256), digest.count == 32 else {
            throw call.error("InvalidDigest", "the body's SHA-256 is not 64 hex digits", category: .refused)
        }
        if sendsChecksum { call.headers.append(HTTPHeader("x-amz-checksum-sha256", Base64.text(digest))) }
        call.headers += Self.headers(attributes)
        for (name, value) in metadata {
            guard Self.isToken(name), value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw call.error("InvalidMetadata", "metadata \(name) is not printable ASCII", category: .refused)
            }
            call.headers.append(HTTPHeader("x-amz-meta-\(name)", value))
        }
        do throws(AWSError) {
            return try await send(call, key: key) { (response: inout HTTPResponse) throws(AnswerFault) in
                .stored(etag: response.header("etag"))
            }
        } catch {
            guard error.category == .precondition else { throw error }
            return .preconditionFailed
        }
    }

    static func companions(_ attributes: ObjectAttributes) -> [Companion] {
        var companions: [Companion] = []
        if !attributes.tags.isEmpty { companions.append(.tagging) }
        if attributes.sse?.hasPrefix("aws:kms") == true { companions.append(.encrypt) }
        return companions
    }

    static func headers(_ attributes: ObjectAttributes) -> [HTTPHeader] {
        var headers: [HTTPHeader] = []
        if let storageClass = attributes.storageClass {
            headers.append(HTTPHeader("x-amz-storage-class", storageClass))
        }
        if let sse = attributes.sse { headers.append(HTTPHeader("x-amz-server-side-encryption", sse)) }
        if let kmsKeyID = attributes.kmsKeyID {
            headers.append(HTTPHeader("x-amz-server-side-encryption-aws-kms-key-id", kmsKeyID))
        }
        if !attributes.tags.isEmpty {
            let pairs = attributes.tags.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }
            headers.append(HTTPHeader("x-amz-tagging", pairs.joined(separator: "&")))
        }
        return headers
    }

    /// A header name may hold these (RFC 9110 section 5.6.2, letters, digits and hyphen only).
    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
            }
    }
}
