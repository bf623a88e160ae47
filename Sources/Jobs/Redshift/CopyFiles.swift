// The two files that a COPY statement points to: they are put once and never replaced.

package import AWS
import Batching
import Diagnostics
import HTTP
package import Redshift

package struct CopyFiles: Sendable {
    private let bucket: String
    private let attributes: ObjectAttributes
    private let s3: S3Client

    package init(_ destination: ArchiveJobFile.Destination, s3: S3Client) {
        bucket = destination.bucket
        var attributes = destination.attributes
        // Redshift cannot read what lies in an archive storage class.
        attributes.storageClass = nil
        self.attributes = attributes
        self.s3 = s3
    }

    /// Puts the JSONPaths file of this program.
    package func put(jsonPaths key: String) async throws {
        try await put(
            key, JSONPathsFile().bytes,
            hint: "another version of the program put it there: give redshift.jsonpaths another key, or take it out")
    }

    package func put(_ manifest: CopyManifest, key: String) async throws {
        try await put(
            key, try manifest.document(bucket: bucket), hint: "find out who writes there; it is sluice's own place")
    }

    private func put(_ key: String, _ bytes: [UInt8], hint: String) async throws {
        let outcome = try await s3.putObject(
            key: key, body: .bytes(bytes), sha256: sha256Hex(bytes), contentType: "application/json",
            condition: .ifAbsent, attributes: attributes)
        guard outcome == .preconditionFailed else { return }
        let found = try await s3.getObject(key: key, bytesMax: CopyManifest.bytesMax)
        guard found?.bytes == bytes else {
            throw RedshiftError(
                "put object", "s3://\(bucket)/\(key)", "other content stands under this key and is not replaced",
                hint: hint, exitCode: .destinationConflict)
        }
    }
}
