// Which batches are in S3 and not in the ledger. Keys alone tell most of it: only manifests of batches that are not
// loaded are read. One that cannot be trusted ends the survey.

import AWS
import Batching
import CivilTime
import Diagnostics
import Redshift

struct LoadSurvey: Sendable {
    static let pagesMax = 100_000
    /// Batches that one run takes; the next one takes what is left.
    static let batchesMax = 50_000

    let file: ArchiveJobFile
    let dependencies: ArchiveDependencies
    let calls: PatientCalls

    /// - Parameters:
    ///   - range: of the arrival of the last record; nil for all.
    ///   - loaded: keys of the manifests in the ledger.
    func batches(_ range: TimeRange?, without loaded: Set<String>) async throws -> [CopyBatch] {
        let reader = BatchReader(file: file, dependencies: dependencies, calls: calls)
        var found: [CopyBatch] = []
        let prefix = ManifestPlace.prefix(controlPrefix: file.destination.controlPrefix)
        var token: String?
        for _ in 0..<Self.pagesMax {
            let from = token
            let page = try await calls.patiently { try await dependencies.s3.listPage(prefix: prefix, token: from) }
            let places = page.objects.compactMap { object in
                ManifestPlace(object.key, controlPrefix: file.destination.controlPrefix)
                    .map { (key: object.key, place: $0) }
            }.filter { !loaded.contains($0.key) }
            for batch in try await reader.read(places) where !batch.objects.isEmpty {
                guard range.map({ batch.lastArrival >= $0.from && batch.lastArrival < $0.to }) ?? true else { continue }
                found.append(batch)
            }
            guard let next = page.nextToken, found.count < Self.batchesMax else { return found }
            token = next
        }
        throw RedshiftError(
            "list", "s3://\(file.destination.bucket)/\(prefix)", "the listing does not end",
            hint: "look at what lies under this prefix; nothing but sluice should write there", exitCode: .temporary)
    }
}
