// Which batches are in S3 and not in the ledger. Keys alone tell most of it: only manifests of batches that are not
// loaded are read. One that cannot be trusted ends the survey.

import AWS
import Batching
import CivilTime
import Diagnostics
import Redshift

struct LoadSurvey: Sendable {
    static let readsMax = 16
    static let windowMax = 64
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
            for batch in try await read(places) where !batch.objects.isEmpty {
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

    private func read(_ places: [(key: String, place: ManifestPlace)]) async throws -> [CopyBatch] {
        let judge = ManifestJudge(
            job: file.name, stream: file.source.stream.name, controlPrefix: file.destination.controlPrefix)
        var batches: [CopyBatch] = []
        var next = 0
        while next < places.count {
            if dependencies.stop.requested != nil { throw CancellationError() }
            let window = Array(places[next..<min(next + Self.windowMax, places.count)])
            next += window.count
            let readings = await inParallel(window.map { ($0.key, $0.place) }, parallel: Self.readsMax) {
                [calls, dependencies] key, place in
                await ManifestReading.read(key, at: place, judge: judge, s3: dependencies.s3, calls: calls)
            }
            for (entry, reading) in zip(window, readings) {
                switch reading {
                case .good(let judged): batches.append(CopyBatch(judged.manifest, key: entry.key))
                case .bad(let fault): throw doubtful(entry.key, fault.detail)
                case .gone: throw doubtful(entry.key, "it was listed and is gone")
                case .unknown(let diagnostic, let code): throw RedshiftError(diagnostic: diagnostic, exitCode: code)
                }
            }
        }
        return batches
    }

    private func doubtful(_ key: String, _ cause: String) -> RedshiftError {
        RedshiftError(
            "read manifest", "s3://\(file.destination.bucket)/\(key)", cause,
            hint: "`sluice verify \(file.path)` shows which manifests are damaged or missing",
            exitCode: .stateOrIdentity)
    }
}
