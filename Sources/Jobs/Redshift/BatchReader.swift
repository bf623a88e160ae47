// Manifests read for a load, some side by side; of each stay the keys, sizes and hashes of its objects. One that cannot be
// trusted ends the reading: no part of a load is left out silently.

import AWS
import Batching
import Diagnostics
import Redshift

struct BatchReader: Sendable {
    /// Manifests that are read side by side, and how many then wait to be taken in order.
    static let readsMax = 16
    static let windowMax = 64

    let file: ArchiveJobFile
    let dependencies: ArchiveDependencies
    let calls: PatientCalls

    /// The batches in the order of `places`.
    func read(_ places: [(key: String, place: ManifestPlace)]) async throws -> [CopyBatch] {
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
