// The little that owner marker and rebuild need of an object store: whole small documents with an ETag.

package import AWS
import Batching
import HTTP

package protocol ControlStore: Sendable {
    /// The document, or nil when there is none.
    func get(key: String, bytesMax: Int) async throws -> ControlDocument?
    /// Stores a JSON document if the condition holds.
    func put(key: String, bytes: [UInt8], condition: PutCondition) async throws -> PutOutcome
    /// One page of keys below `prefix` in the order of their bytes; empty when there are no more.
    func list(prefix: String, startAfter: String?) async throws -> [String]
}

package struct ControlDocument: Sendable, Equatable {
    package var bytes: [UInt8]
    /// Good for If-Match only.
    package var etag: String?

    package init(bytes: [UInt8], etag: String?) {
        self.bytes = bytes
        self.etag = etag
    }
}

/// S3 with the encryption and tags that the job asks for. The storage class is left out: manifests and marker are read
/// again, and an archive class would make that take hours.
package struct S3ControlStore: ControlStore {
    private let client: S3Client
    private let attributes: ObjectAttributes

    package init(_ client: S3Client, attributes: ObjectAttributes = .none) {
        self.client = client
        var attributes = attributes
        attributes.storageClass = nil
        self.attributes = attributes
    }

    package func get(key: String, bytesMax: Int) async throws -> ControlDocument? {
        try await client.getObject(key: key, bytesMax: bytesMax).map { ControlDocument(bytes: $0.bytes, etag: $0.etag) }
    }

    package func put(key: String, bytes: [UInt8], condition: PutCondition) async throws -> PutOutcome {
        try await client.putObject(
            key: key, body: .bytes(bytes), sha256: Checksum.sha256Hex(bytes), contentType: "application/json",
            condition: condition, attributes: attributes)
    }

    package func list(prefix: String, startAfter: String?) async throws -> [String] {
        try await client.listPage(prefix: prefix, startAfter: startAfter).objects.map(\.key)
    }
}

extension S3Client: ControlStore {
    package func get(key: String, bytesMax: Int) async throws -> ControlDocument? {
        try await S3ControlStore(self).get(key: key, bytesMax: bytesMax)
    }

    package func put(key: String, bytes: [UInt8], condition: PutCondition) async throws -> PutOutcome {
        try await S3ControlStore(self).put(key: key, bytes: bytes, condition: condition)
    }

    package func list(prefix: String, startAfter: String?) async throws -> [String] {
        try await S3ControlStore(self).list(prefix: prefix, startAfter: startAfter)
    }
}
