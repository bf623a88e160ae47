// Which batches a load takes, from the manifests in S3. Some manifests are read side by side; of each stay the keys,
// sizes and hashes of its objects. A manifest that cannot be trusted ends the survey: no part of a range is left out
// silently.

import AWS
package import Batching
import CivilTime
import Diagnostics
import Redshift

/// Which batches are asked for.
package enum CopySelection: Sendable, Equatable {
    /// Those whose last record arrived in [from, to): ranges that meet have no batch in common and leave none out.
    case arrived(TimeRange)
    /// Those that no COPY manifest of the job names yet.
    case sinceLast
}

struct CopySurvey: Sendable {
    static let pagesMax = 100_000
    /// Arrival times of a shard may be out of order by moments; so much is allowed before a part of it is passed over.
    static let disorderMax: Int64 = 3_600_000

    let file: ArchiveJobFile
    let dependencies: ArchiveDependencies
    let calls: PatientCalls

    init(file: ArchiveJobFile, dependencies: ArchiveDependencies) {
        self.file = file
        self.dependencies = dependencies
        calls = PatientCalls(dependencies: dependencies)
    }

    private var controlPrefix: String { file.destination.controlPrefix }
    private var s3: S3Client { dependencies.s3 }

    func batches(_ selection: CopySelection) async throws -> [CopyBatch] {
        var taken = KeySet()
        if selection == .sinceLast { taken = try await objectsOfEarlierCopies() }
        var found: [CopyBatch] = []
        var entries = 0
        try await eachPage(below: ManifestPlace.prefix(controlPrefix: controlPrefix)) { keys in
            let places = keys.compactMap { key in
                ManifestPlace(key, controlPrefix: controlPrefix).map { (key: key, place: $0) }
            }
            for run in Self.runs(places) where try await mayHold(run, selection) {
                for batch in try await read(run) where Self.belongs(batch, selection, taken) {
                    entries += batch.objects.count
                    guard entries <= CopyManifest.entriesMax else { throw tooMany(selection) }
                    found.append(batch)
                }
            }
        }
        return found
    }

    private static func belongs(_ batch: CopyBatch, _ selection: CopySelection, _ taken: KeySet) -> Bool {
        guard !batch.objects.isEmpty else { return false }
        switch selection {
        case .arrived(let range): return batch.lastArrival >= range.from && batch.lastArrival < range.to
        case .sinceLast: return !batch.objects.allSatisfy { taken.contains($0.key) }
        }
    }

    /// Neighbouring keys of one shard.
    private static func runs(_ places: [(key: String, place: ManifestPlace)]) -> [[(key: String, place: ManifestPlace)]]
    {
        var runs: [[(key: String, place: ManifestPlace)]] = []
        for entry in places {
            if let last = runs.last?.last?.place, last.streamCreation == entry.place.streamCreation,
                last.key.shard == entry.place.key.shard
            {
                runs[runs.count - 1].append(entry)
            } else {
                runs.append([entry])
            }
        }
        return runs
    }

    /// False when the first and the last manifest say that all between them lies outside the range.
    private func mayHold(
        _ run: [(key: String, place: ManifestPlace)], _ selection: CopySelection
    ) async throws -> Bool {
        guard case .arrived(let range) = selection, run.count > 2, let first = run.first, let last = run.last else {
            return true
        }
        let slack = Self.disorderMax
        if try await read([last])[0].lastArrival.milliseconds < range.from.milliseconds - slack { return false }
        return try await read([first])[0].lastArrival.milliseconds <= range.to.milliseconds + slack
    }

    private func read(_ run: [(key: String, place: ManifestPlace)]) async throws -> [CopyBatch] {
        try await BatchReader(file: file, dependencies: dependencies, calls: calls).read(run)
    }

    /// What earlier calls wrote COPY manifests for.
    private func objectsOfEarlierCopies() async throws -> KeySet {
        var taken = KeySet()
        try await eachPage(below: CopyManifest.prefix(controlPrefix: controlPrefix)) { keys in
            for key in keys where key.hasSuffix(".manifest") {
                try checkStop()
                let found = try await calls.patiently {
                    try await s3.getObject(key: key, bytesMax: CopyManifest.bytesMax)
                }
                guard let found else { continue }
                for object in try CopyManifest.keys(in: found.bytes, bucket: file.destination.bucket) {
                    taken.insert(object)
                }
            }
        }
        return taken
    }

    private func eachPage(below prefix: String, _ body: ([String]) async throws -> Void) async throws {
        var token: String?
        for _ in 0..<Self.pagesMax {
            try checkStop()
            let from = token
            let page = try await calls.patiently { try await s3.listPage(prefix: prefix, token: from) }
            try await body(page.objects.map(\.key))
            guard let next = page.nextToken else { return }
            token = next
        }
        throw RedshiftError(
            "list", "s3://\(file.destination.bucket)/\(prefix)", "the listing does not end",
            hint: "look at what lies under this prefix; nothing but sluice should write there", exitCode: .temporary)
    }

    private func checkStop() throws {
        if dependencies.stop.requested != nil { throw CancellationError() }
    }

    private func tooMany(_ selection: CopySelection) -> RedshiftError {
        RedshiftError(
            "list objects of", file.name, "they are more than the \(CopyManifest.entriesMax) that one COPY loads",
            hint: selection == .sinceLast
                ? "load the past in parts first: --from TIME --to TIME" : "give a shorter range: --from TIME --to TIME",
            exitCode: .usage)
    }
}
