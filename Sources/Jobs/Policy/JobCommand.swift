// Which command needs what of AWS: the one table behind `sluice policy` and `sluice check --live`.

import AWS

/// A command that calls AWS for a job.
package enum JobCommand: String, CaseIterable, Sendable {
    case archive, backfill, status, verify
    /// `sluice state rebuild`.
    case rebuild
    /// `sluice redshift copy`.
    case copy
    /// `sluice redshift load`.
    case load
    /// `sluice verify --redshift`.
    case verifyRedshift = "verify-redshift"
    /// No command: what Redshift itself does in the bucket, with the role that `redshift.role_arn` names.
    case redshiftRole = "redshift-role"
    case ship
    /// `sluice check --live`.
    case check

    package static func commands(of file: JobFile) -> [JobCommand] {
        switch file {
        case .archive(let file):
            [.archive, .backfill, .status, .verify, .rebuild]
                + (file.redshift == nil ? [] : [.copy, .load, .verifyRedshift]) + [.check]
        case .ship: [.ship, .check]
        }
    }

    func needs(of kind: JobFile.Kind) -> Set<PolicyNeed> {
        switch (self, kind) {
        case (.ship, .ship), (.check, .ship): [.describeStream, .putRecords]
        case (.archive, .archive): Self.archiving.union([.replaceOwner])
        // It reads the owner marker and leaves it alone.
        case (.backfill, .archive): Self.archiving.union([.replaceLedgers])
        case (.check, .archive):
            Self.archiving.union([.replaceOwner, .replaceLedgers, .queryRedshift, .loadRedshift])
        case (.rebuild, .archive): [.describeStream, .replaceOwner, .storeControl, .readControl, .listControl]
        case (.status, .archive): [.describeStream, .listShards, .readRecords]
        case (.verify, .archive): Self.verifying
        case (.verifyRedshift, .archive): Self.verifying.union([.queryRedshift])
        case (.copy, .archive): [.readControl, .listControl, .storeControl, .storeJSONPaths]
        // Rows that Redshift refused are read, to say where they come from.
        case (.load, .archive):
            [.readControl, .listControl, .storeControl, .storeJSONPaths, .readObjects, .queryRedshift, .loadRedshift]
        case (.redshiftRole, .archive): [.readObjects, .listObjects, .readControl, .listControl, .readJSONPaths]
        case (.ship, .archive), (.copy, .ship), (.load, .ship), (.archive, .ship), (.backfill, .ship),
            (.rebuild, .ship), (.status, .ship), (.verify, .ship), (.verifyRedshift, .ship), (.redshiftRole, .ship):
            []
        }
    }

    /// From the stream into the bucket, each object once.
    private static let archiving: Set<PolicyNeed> = [
        .describeStream, .listShards, .readRecords, .storeObjects, .readObjects, .readControl, .listObjects,
        .listControl,
    ]

    private static let verifying: Set<PolicyNeed> = [
        .describeStream, .listShards, .readObjects, .readControl, .listObjects, .listControl,
    ]
}

/// A thing that a command does, with the actions that allow it.
enum PolicyNeed: CaseIterable, Sendable {
    case describeStream, listShards, readRecords, putRecords
    /// Objects and manifests, which are put once and never replaced.
    case storeObjects, storeControl
    /// The JSONPaths file of `redshift:`, which may lie outside both prefixes.
    case storeJSONPaths, readJSONPaths
    /// The owner marker, which is replaced by compare-and-swap.
    case replaceOwner
    /// What backfills of a shard agree on, replaced the same way.
    case replaceLedgers
    /// Rows are looked at when another object may stand under a key of ours.
    case readObjects, readControl
    case listObjects, listControl
    /// Statements for the job's database; how they log in, `redshift:` says.
    case queryRedshift
    /// Several statements in one transaction.
    case loadRedshift

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
        case .readObjects, .readControl, .readJSONPaths: [.getObject]
        case .listObjects, .listControl: [.listBucket]
        case .queryRedshift: [.executeStatement, .describeStatement, .getStatementResult]
        case .loadRedshift: [.batchExecuteStatement]
        }
    }
}
