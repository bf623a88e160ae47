// From what COPY says of a row back to the record on the stream: object and line, and in that line the row's own shard
// and sequence number. A line that does not tell them comes at least from the shard of its batch.
// https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html

import AWS
import Batching
import Diagnostics
import Gzip
import Redshift

/// A row that COPY refused.
package struct RefusedRow: Sendable, Equatable {
    /// Key of the object.
    package var object: String
    /// From 1.
    package var line: Int
    package var column: String?
    package var code: Int?
    package var message: String
    /// Key of the batch manifest that names the object.
    package var manifest: String
    /// Of the record that the row comes from; of the batch when the line does not say it.
    package var shard: String?
    /// Nil when the line does not say it: then it is one of the batch's.
    package var sequence: String?
}

struct RefusedRows: Sendable {
    /// Errors that are read of one load. With MAXERROR 0 there is one for each slice at most.
    static let errorsMax = 20
    /// No row is longer (a row has at most 4 MB).
    static let lineBytesMax = 4 << 20
    static let partBytes = 8 << 20

    let database: LoadDatabase
    let s3: S3Client
    let controlPrefix: String

    /// What the database noted of a failed load; empty when nothing of it can be found.
    func read(_ load: CopyManifest, _ ending: StatementDescription) async throws -> [RefusedRow] {
        let queries = ([ending.queryID] + ending.parts.map(\.queryID)).compactMap(\.self)
        var conditions = queries.isEmpty ? [] : ["query_id IN (\(queries.map(String.init).joined(separator: ",")))"]
        if let session = ending.sessionID { conditions.append("session_id = \(session)") }
        guard !conditions.isEmpty else { return [] }
        let sql = """
            SELECT TRIM(file_name), line_number, TRIM(column_name), error_code, TRIM(error_message) \
            FROM sys_load_error_detail WHERE (\(conditions.joined(separator: " OR "))) \
            AND start_time >= GETDATE() - INTERVAL '1 day' ORDER BY start_time DESC LIMIT \(Self.errorsMax)
            """
        let manifests = Dictionary(
            load.batches.flatMap { batch in batch.objects.map { ($0.key, batch.manifest) } }
        ) { first, _ in first }
        var found: [RefusedRow] = []
        for row in try await database.query(sql, name: "sluice read load errors").rows {
            guard row.count == 5, let url = row[0].text, let key = database.ledger.key(url),
                let manifest = manifests[key], let line = row[1].integer, line >= 1
            else { continue }
            var refused = RefusedRow(
                object: key, line: Int(line), column: row[2].text.flatMap { $0.isEmpty ? nil : $0 },
                code: row[3].integer.map { Int($0) }, message: row[4].text ?? "", manifest: manifest)
            guard !found.contains(where: { $0.object == key && $0.line == refused.line }) else { continue }
            let told = try await self.line(refused.line, of: key).flatMap { try? JSONValue($0) }
            refused.shard =
                told?["shard_id"]?.string ?? ManifestPlace(manifest, controlPrefix: controlPrefix)?.key.shard
            refused.sequence = told?["sequence_number"]?.string
            found.append(refused)
        }
        return found
    }

    private func line(_ number: Int, of key: String) async throws -> [UInt8]? {
        let inflater = try MemberInflater()
        var finder = LineFinder(number: number)
        var offset = 0
        while true {
            let start = offset
            let part = try await database.calls.patiently {
                try await s3.getObjectPart(key: key, offset: start, count: Self.partBytes, etag: nil)
            }
            guard let part, !part.bytes.isEmpty else { return nil }
            do {
                try part.bytes.withUnsafeBytes { bytes in try inflater.unpack(bytes) { finder.add($0) } }
            } catch is GzipError {
                // What came before the damage counts.
                return finder.text
            }
            if let text = finder.text { return text }
            offset += part.bytes.count
            if offset >= part.length { return nil }
        }
    }
}

/// Picks one line out of bytes that come in pieces.
struct LineFinder {
    private let number: Int
    private var current = 1
    private var bytes: [UInt8] = []
    /// The line, once its end has come.
    private(set) var text: [UInt8]?

    init(number: Int) { self.number = number }

    mutating func add(_ piece: UnsafeRawBufferPointer) {
        guard text == nil else { return }
        for byte in piece {
            if byte == UInt8(ascii: "\n") {
                if current == number {
                    text = bytes
                    return
                }
                current += 1
            } else if current == number, bytes.count < RefusedRows.lineBytesMax {
                bytes.append(byte)
            }
        }
    }
}
