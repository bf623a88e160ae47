// What one COPY loads: the objects that some batch manifests name, as a COPY manifest. Key and bytes depend on the set
// of batches alone, whatever order they come in, so that the same load made twice is the same load.
// https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html

package import Batching
package import CivilTime

/// The part of a batch manifest that a load needs.
package struct CopyBatch: Sendable, Equatable {
    package struct Object: Sendable, Equatable {
        package var key: String
        /// Compressed.
        package var bytes: Int
        package var rows: Int
        package var sha256: String

        package init(key: String, bytes: Int, rows: Int, sha256: String) {
            self.key = key
            self.bytes = bytes
            self.rows = rows
            self.sha256 = sha256
        }
    }

    /// Key of the batch manifest.
    package var manifest: String
    package var lastArrival: Timestamp
    package var objects: [Object]

    package init(manifest: String, lastArrival: Timestamp, objects: [Object]) {
        self.manifest = manifest
        self.lastArrival = lastArrival
        self.objects = objects
    }

    package init(_ manifest: BatchManifest, key: String) {
        self.init(
            manifest: key, lastArrival: manifest.lastArrival,
            objects: manifest.objects.map { Object(key: $0.key, bytes: $0.bytes, rows: $0.rows, sha256: $0.sha256) })
    }
}

package struct CopyManifest: Sendable, Equatable {
    /// Entries of one manifest; a load of more is made as several.
    package static let entriesMax = 100_000
    /// No manifest is longer: a URL has at most 1,100 bytes, and the rest of an entry 60.
    package static let bytesMax = entriesMax * 1_200

    /// In the order of their keys.
    package let batches: [CopyBatch]
    package let objects: [CopyBatch.Object]
    /// SHA-256 over the batches and their objects, 64 hexadecimal digits: the name of the load.
    package let id: String

    /// - Parameter batches: each once; at least one of them with an object.
    package init(_ batches: [CopyBatch]) {
        self.batches = batches.sorted { $0.manifest < $1.manifest }
        objects = batches.flatMap(\.objects).sorted { $0.key < $1.key }
        var text = ""
        for batch in self.batches {
            text += "\(batch.manifest)\n"
            for object in batch.objects.sorted(by: { $0.key < $1.key }) {
                text += "\t\(object.key)\t\(object.bytes)\t\(object.rows)\t\(object.sha256)\n"
            }
        }
        id = Checksum.sha256Hex(Array(text.utf8))
    }

    package var rows: Int { objects.reduce(0) { $0 + $1.rows } }
    package var bytes: Int { objects.reduce(0) { $0 + $1.bytes } }

    /// Below this lie the manifests of all loads of a job.
    package static func prefix(controlPrefix: String) -> String { "\(controlPrefix)redshift/copy/" }

    /// Sorts by the newest record that the load holds.
    package func key(controlPrefix: String) -> String {
        let newest = max(0, batches.map(\.lastArrival.milliseconds).max() ?? 0)
        let digits = String(newest)
        let padded = String(repeating: "0", count: max(0, 15 - digits.count)) + digits
        return "\(Self.prefix(controlPrefix: controlPrefix))\(padded)-\(id.prefix(32)).manifest"
    }

    /// The document that COPY reads.
    package func document(bucket: String) throws(DocumentError) -> [UInt8] {
        try CanonicalJSON.encode(
            Document(
                entries: objects.map {
                    Document.Entry(
                        url: "s3://\(bucket)/\($0.key)", mandatory: true, meta: Document.Meta(contentLength: $0.bytes))
                }), as: "COPY manifest")
    }

    /// Keys of the objects in `bucket` that a COPY manifest names.
    package static func keys(in document: [UInt8], bucket: String) throws(DocumentError) -> [String] {
        let parsed = try CanonicalJSON.decode(Document.self, from: document, as: "COPY manifest")
        let start = "s3://\(bucket)/"
        return parsed.entries.compactMap { $0.url.hasPrefix(start) ? String($0.url.dropFirst(start.count)) : nil }
    }

    private struct Document: Codable {
        struct Meta: Codable {
            var contentLength: Int
            enum CodingKeys: String, CodingKey { case contentLength = "content_length" }
        }
        struct Entry: Codable {
            var url: String
            var mandatory: Bool
            var meta: Meta
        }
        var entries: [Entry]
    }
}
