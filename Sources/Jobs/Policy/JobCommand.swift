// Which command needs what of AWS: the one table behind `sluice policy` and `sluice check --live`.

import AWS

/// A command that calls AWS for a job.
package enum JobCommand: String, CaseIterable, Sendable {
    case archive, backfill, status, verify
    /// `sluice state rebuild`.
    case rebuild
    /// `sluice redshift copy`.
    case copy
    case ship
    /// `sluice check --live`.
    case check

    package static func commands(of file: JobFile) -> [JobCommand] {
        switch file {
        case .archive(let file):
            [.archive, .backfill, .status, .verify, .rebuild] + (file.redshift == nil ? [] : [.copy]) + [.check]
        case .ship: [.ship, .check]
        }
    }

    func needs(of kind: JobFile.Kind) -> Set<PolicyNeed> {
        switch (self, kind) {
        case (.ship, .ship), (.check, .ship): [.describeStream, .putRecords]
        case (.archive, .archive): Self.archiving.union([.replaceOwner])
        // It reads the owner marker and leaves it alone.
        case (.backfill, .archive): Self.archiving.union([.replaceLedgers])
        case (.check, .archive): Self.archiving.union([.replaceOwner, .replaceLedgers])
        case (.rebuild, .archive): [.describeStream, .replaceOwner, .storeControl, .readControl, .listControl]
        case (.status, .archive): [.describeStream, .listShards, .readRecords]
        case (.verify, .archive):
            [.describeStream, .listShards, .readObjects, .readControl, .listObjects, .listControl]
        case (.copy, .archive): [.readControl, .listControl, .storeControl, .storeJSONPaths]
        case (.ship, .archive), (.copy, .ship), (.archive, .ship), (.backfill, .ship), (.rebuild, .ship),
            (.status, .ship),
            (.verify, .ship):
            []
        }
    }

    /// From the stream into the bucket, each object once.
    private static let archiving: Set<PolicyNeed> = [
        .describeStream, .listShards, .readRecords, .storeObjects, .readObjects, .readControl, .listObjects,
        .listControl,
    ]
}

/// A thing that a command does, with the actions that allow it.
enum PolicyNeed: CaseIterable, Sendable {
    case describeStream, listShards, readRecords, putRecords
    /// Objects and manifests, which are put once and never replaced.
    case storeObjects, storeControl
    /// The JSONPaths file of `redshift:`, which may lie outside both prefixes.
    case storeJSONPaths
    /// The owner marker, which is replaced by compare-and-swap.
    case replaceOwner
    /// What backfills of a shard agree on, replaced the same way.
    case replaceLedgers
    /// Rows are looked at when another object may stand under a key of ours.
    case readObjects, readControl
    case listObjects, listControl

    var permissions: Set<Permission> {
        switch self {
        case .describeStream: [.describeStreamSummary]
        case .listShards: [.listShards]
        case .readRecords: [.getShardIterator, .getRecords]
        case .putRecords: [.putRecords]
        case .storeObjects, .storeControl: [.putObject]
        // What stands there already is compared.
        case .storeJSONPaths: [.putObject, .getObject]
        // The ETag is compared for those only who may read the object.
        case .replaceOwner, .replaceLedgers: [.putObject, .getObject]
        case .readObjects, .readControl: [.getObject]
        case .listObjects, .listControl: [.listBucket]
        }
    }
}
