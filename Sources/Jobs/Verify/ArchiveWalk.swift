// Lets all manifests go by in the order of their keys: each is judged by itself, against the one before it, and against
// its objects. Some are read side by side; nothing of them is kept but hashes of the keys that they name.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

/// Not Sendable: it belongs to one verification. Children give values back.
final class ArchiveWalk {
    /// Manifests that are read side by side, and how many are then judged in order.
    static let readsMax = 16
    static let windowMax = 64
    /// Objects that are asked for side by side, without and with reading them.
    static let headsMax = 16
    static let downloadsMax = 4
    /// A listing has 1,000 keys a page; a stream has fewer shards within any retention.
    static let pagesMax = 100_000
    static let shardsMax = 100_000

    var report: VerifyReport
    var archived: [ArchivedShard] = []
    /// Keys that manifests name.
    var named = KeySet()
    /// Literal beginnings of the prefixes that objects were written under.
    var prefixes: Set<String>
    /// Manifests that cannot be trusted: their objects are theirs all the same.
    var doubtful: Set<ManifestPlace> = []
    var holes: [ShardProof.Place: [ShardProof.Hole]] = [:]
    var streams: Set<Int64> = []
    /// Compares Redshift with what goes by; nil when it is not asked for.
    var warehouse: WarehouseCheck?
    let judge: ManifestJudge
    let calls: PatientCalls

    let file: ArchiveJobFile
    let options: VerifyOptions
    let dependencies: ArchiveDependencies
    let objects: ObjectCheck
    private(set) var stream: StreamFacts
    var lastArrivals: [ShardProof.Place: Timestamp] = [:]
    /// The last manifests by what the job's state remembers, of shards that did not go by yet.
    var expected: [ShardProof.Place: ShardState] = [:]
    private(set) var ledgers: Set<String> = []
    var objectIndex = 0

    init(file: ArchiveJobFile, options: VerifyOptions, dependencies: ArchiveDependencies) {
        self.file = file
        self.options = options
        self.dependencies = dependencies
        calls = PatientCalls(dependencies: dependencies)
        objects = ObjectCheck(s3: dependencies.s3, calls: calls)
        judge = ManifestJudge(
            job: file.name, stream: file.source.stream.name, controlPrefix: file.destination.controlPrefix)
        prefixes = [file.destination.prefix.literalPrefix]
        stream = StreamFacts(creation: nil, now: dependencies.time.now())
        report = VerifyReport(
            job: file.name, stream: file.source.stream.name,
            destination: "s3://\(file.destination.bucket)/\(file.destination.prefix.text)", window: options.window,
            started: stream.now)
    }

    var controlPrefix: String { file.destination.controlPrefix }
    private var isStopped: Bool { dependencies.stop.requested != nil || report.hasTooManyProblems }

    func walk(stream: StreamFacts, state: StateSnapshot?) async throws {
        self.stream = stream
        streams = Set([stream.creation?.milliseconds, state?.identity.streamCreation.milliseconds].compactMap { $0 })
        for shard in state?.shards ?? [] where shard.lastManifest != nil {
            let creation = state?.identity.streamCreation.milliseconds ?? 0
            expected[ShardProof.Place(streamCreation: creation, shard: shard.id)] = shard
        }
        try await eachPage(below: BackfillLedger.folder(controlPrefix: controlPrefix)) { keys in
            ledgers.formUnion(keys)
        }
        var proof: ShardProof?
        try await eachPage(below: ManifestPlace.prefix(controlPrefix: controlPrefix)) { keys in
            var next = 0
            while next < keys.count, !isStopped {
                let window = Array(keys[next..<min(next + Self.windowMax, keys.count)])
                next += window.count
                try await take(window, &proof)
            }
        }
        if let proof { conclude(proof) }
        guard !isStopped else { return }
        await warehouse?.finish(&report)
        for (place, shard) in expected.sorted(by: { $0.key.shard < $1.key.shard }) {
            conclude(ShardProof(place: place, joined: []), parents: shard.parents)
        }
    }

    /// Calls `body` with each page of keys, in the order of their bytes.
    func eachPage(below prefix: String, _ body: ([String]) async throws -> Void) async throws {
        var token: String?
        for _ in 0..<Self.pagesMax {
            let from = token
            let page = try await calls.patiently {
                try await dependencies.s3.listPage(prefix: prefix, token: from)
            }
            try await body(page.objects.map(\.key))
            guard let next = page.nextToken, !isStopped else { return }
            token = next
        }
        throw ArchiveError(
            "list", "s3://\(file.destination.bucket)/\(prefix)", "the listing does not end",
            hint: "look at what lies under this prefix; nothing but sluice should write there", exitCode: .temporary)
    }

    // MARK: Manifests

    private func take(_ keys: [String], _ proof: inout ShardProof?) async throws {
        var places: [(key: String, place: ManifestPlace)] = []
        for key in keys {
            warehouse?.see(key)
            if let place = ManifestPlace(key, controlPrefix: controlPrefix) {
                places.append((key, place))
            } else {
                report.add(
                    Finding(
                        .strayObject, shard: nil, key: key, detail: "it lies among the manifests and is none",
                        hint: Hints.stray))
            }
        }
        let readings = await inParallel(places.map { ($0.key, $0.place) }, parallel: Self.readsMax) {
            [judge, calls, s3 = dependencies.s3] key, place in
            await ManifestReading.read(key, at: place, judge: judge, s3: s3, calls: calls)
        }
        var batches: [JudgedBatch] = []
        for ((key, place), reading) in zip(places, readings) {
            try await enter(place, &proof)
            report.manifests += 1
            switch reading {
            case .good(let judged):
                try await link(judged, key, &proof)
                if let batch = batch(judged, key) { batches.append(batch) }
            case .bad(let fault):
                proof?.chain.addDoubtful(key: key)
                doubtful.insert(place)
                tell(fault, key, place)
            case .gone:
                proof?.chain.addDoubtful(key: key)
                doubtful.insert(place)
                tell(ManifestFault(.damaged, ""), key, place, isGone: true)
            case .unknown(let problem, let code):
                proof?.chain.addDoubtful(key: key)
                doubtful.insert(place)
                report.add(problem: problem, code)
            }
        }
        await check(batches)
        if let warehouse {
            for batch in batches { await warehouse.take(batch.manifest, key: batch.key, &report) }
        }
        showProgress()
    }

    private func tell(_ fault: ManifestFault, _ key: String, _ place: ManifestPlace, isGone: Bool = false) {
        let shard = place.key.shard
        if isGone {
            report.add(
                Finding(
                    .manifestMissing, shard: shard, key: key, detail: "it was listed and is gone",
                    hint: Hints.lostManifest))
            return
        }
        switch fault.kind {
        case .newer:
            report.add(
                problem: Diagnostic(
                    operation: "read manifest", subject: key, cause: fault.detail, hint: "use a newer sluice"),
                .stateOrIdentity)
        case .damaged, .forged:
            report.add(
                Finding(
                    fault.kind == .damaged ? .manifestDamaged : .manifestForged, shard: shard, key: key,
                    detail: fault.detail, hint: Hints.badManifest))
        }
    }
}
