// `sluice verify`: proves from manifests and objects that the archive is whole. Takes no lock, stores nothing, changes
// nothing; it may run beside the job and on any host. Damage and what kept it from telling are two different things.
// Reads top to bottom: the stream's shards and the local state, Redshift's ledger when it is asked for, the manifests
// shard by shard with their objects, the lineage, and what lies in the bucket that no manifest names.

package import AWS
import Batching
import CivilTime
import Diagnostics
import State

package struct VerifyOptions: Sendable, Equatable {
    /// Nil for everything.
    package var window: Window?
    /// Which objects to download; nil for none.
    package var sample: ReadSample?

    package init(window: Window? = nil, sample: ReadSample? = nil) {
        self.window = window
        self.sample = sample
    }
}

/// Where the archive is loaded to.
package struct Warehouse: Sendable {
    package var client: RedshiftDataClient
    package var settings: RedshiftSettings

    package init(client: RedshiftDataClient, settings: RedshiftSettings) {
        self.client = client
        self.settings = settings
    }
}

package struct VerifyJob: Sendable {
    private let file: ArchiveJobFile
    private let options: VerifyOptions
    private let dependencies: ArchiveDependencies
    private let warehouse: Warehouse?

    /// - Parameter warehouse: to compare with the archive, too.
    package init(
        file: ArchiveJobFile, options: VerifyOptions, warehouse: Warehouse? = nil, dependencies: ArchiveDependencies
    ) {
        self.file = file
        self.options = options
        self.warehouse = warehouse
        self.dependencies = dependencies
    }

    /// Never throws: what went wrong is in the report, and so is the exit status.
    package func run() async -> VerifyReport {
        let started = dependencies.time.monotonicNanoseconds()
        let walk = ArchiveWalk(file: file, options: options, dependencies: dependencies)
        do {
            let stream = await StreamFacts.look(file: file, dependencies: dependencies, report: &walk.report)
            let state = readState(&walk.report)
            if let warehouse {
                walk.warehouse = await WarehouseCheck.open(
                    warehouse, file: file, dependencies: dependencies, report: &walk.report)
            }
            try await walk.walk(stream: stream, state: state)
            for fault in LineageCheck.faults(archived: walk.archived, listed: stream.spans) {
                walk.report.add(Finding(.lineageBroken, shard: fault.shard, key: "", detail: fault.detail))
            }
            if options.window == nil {
                try await StraySearch(
                    walk: walk, file: file, dependencies: dependencies,
                    readState: {
                        try StateSnapshot.read(StateDirectory(file.stateDirectory))
                    }
                ).search()
            }
            if walk.report.objectsArchived > 0 {
                walk.report.add(
                    VerifyNote(
                        .objectsArchived,
                        detail: "\(walk.report.objectsArchived) objects lie in an archive storage class and were not "
                            + "read: restore them first"))
            }
            walk.report.isComplete = dependencies.stop.requested == nil && !walk.report.hasTooManyProblems
        } catch {
            let (diagnostic, code) = describe(error, during: "verify", of: file.name)
            walk.report.add(problem: diagnostic, code)
        }
        walk.report.signal = dependencies.stop.requested
        walk.report.elapsed = .nanoseconds(Int64(dependencies.time.monotonicNanoseconds() &- started))
        return walk.report
    }

    /// What the job's state remembers, when it lies on this host. It is a help and no condition.
    private func readState(_ report: inout VerifyReport) -> StateSnapshot? {
        do {
            guard let state = try StateSnapshot.read(StateDirectory(file.stateDirectory)) else { return nil }
            let found = state.identity
            guard found.job == file.name, found.bucket == file.destination.bucket,
                found.controlPrefix == file.destination.controlPrefix
            else {
                report.add(
                    VerifyNote(.stateUnreadable, detail: "\(file.stateDirectory) holds the state of another job"))
                return nil
            }
            return state
        } catch {
            report.add(VerifyNote(.stateUnreadable, detail: error.diagnostic.summary))
            return nil
        }
    }
}

/// What the stream itself says of its shards.
struct StreamFacts: Sendable {
    var creation: Timestamp?
    var now: Timestamp
    var spans: [ShardSpan] = []

    /// A stream that cannot be asked keeps nothing else from being verified.
    static func look(
        file: ArchiveJobFile, dependencies: ArchiveDependencies, report: inout VerifyReport
    ) async -> StreamFacts {
        var facts = StreamFacts(creation: nil, now: dependencies.time.now())
        let stream = file.source.stream.reference
        let calls = PatientCalls(dependencies: dependencies)
        do {
            let summary = try await calls.patiently {
                try await dependencies.kinesis.describeStreamSummary(stream: stream)
            }
            facts.now = summary.serverDate ?? facts.now
            facts.creation = summary.creation
            facts.spans = try await calls.patiently { try await dependencies.kinesis.listShards(stream: stream) }
                .compactMap(ShardSpan.init(_:))
            if let reason = LineageCheck.incompleteness(of: facts.spans) {
                report.add(VerifyNote(.listingIncomplete, detail: reason))
            }
        } catch let error as AWSError where error.category == .missing {
            report.add(VerifyNote(.streamGone, detail: error.diagnostic.summary))
        } catch {
            let (diagnostic, code) = describe(error, during: "look at stream", of: file.source.stream.name)
            report.add(problem: diagnostic, code)
        }
        return facts
    }
}

extension ShardSpan {
    /// Nil when its hash keys are no numbers of 128 bits.
    init?(_ shard: Shard) {
        guard let low = UInt128(shard.startingHashKey), let high = UInt128(shard.endingHashKey), low <= high else {
            return nil
        }
        self.init(
            id: shard.id, parents: [shard.parentID, shard.adjacentParentID].compactMap { $0 },
            starting: SequenceNumber(shard.startingSequence),
            ending: shard.endingSequence.flatMap { SequenceNumber($0) }, hashKeys: low...high)
    }
}
