// The S3 part of a job's policy.

import AWS
import Batching

struct BucketPolicy {
    private let file: ArchiveJobFile
    private let bucketARN: String
    private let needs: Set<PolicyNeed>

    init(file: ArchiveJobFile, partition: String, needs: Set<PolicyNeed>) {
        self.file = file
        self.needs = needs
        bucketARN = "arn:\(partition):s3:::\(file.destination.bucket)"
    }

    /// True when a command puts or reads objects.
    var stores: Bool { !needs.isDisjoint(with: [.storeObjects, .storeControl, .replaceOwner, .replaceLedgers]) }
    var reads: Bool { !needs.isDisjoint(with: [.readObjects, .readControl, .replaceOwner, .replaceLedgers]) }

    func statements() -> [PolicyStatement] {
        [store(), replaceOwner(), replaceLedgers(), tag(), read(), list()].compactMap(\.self)
    }

    /// `If-None-Match` must be there: nothing that stands is ever replaced.
    /// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    private func store() -> PolicyStatement? {
        let prefixes = prefixes(objects: .storeObjects, control: [.storeObjects, .storeControl])
        return statement(
            "StoreOnce", [.putObject], keys(prefixes) + jsonPaths(.storeJSONPaths),
            conditions: ["Null": ["s3:if-none-match": ["false"]]])
    }

    /// The owner marker is replaced, by compare-and-swap.
    private func replaceOwner() -> PolicyStatement? {
        guard needs.contains(.replaceOwner) else { return nil }
        let key = OwnerMarker.key(controlPrefix: file.destination.controlPrefix)
        return statement(
            "ReplaceOwnerMarker", [.putObject], ["\(bucketARN)/\(key)"],
            conditions: ["Null": ["s3:if-match": ["false"]]])
    }

    /// So are the ledgers of backfills, and only by the same way: two backfills can never overwrite each other's claims.
    private func replaceLedgers() -> PolicyStatement? {
        guard needs.contains(.replaceLedgers) else { return nil }
        let folder = BackfillLedger.folder(controlPrefix: file.destination.controlPrefix)
        return statement(
            "ReplaceBackfillLedgers", [.putObject], keys([folder]), conditions: ["Null": ["s3:if-match": ["false"]]])
    }

    private func tag() -> PolicyStatement? {
        guard stores, !file.destination.tags.isEmpty else { return nil }
        let prefixes = prefixes(
            objects: .storeObjects, control: [.storeObjects, .storeControl, .replaceOwner, .replaceLedgers])
        return statement("TagObjects", [.putObjectTagging], keys(prefixes) + jsonPaths(.storeJSONPaths))
    }

    private func read() -> PolicyStatement? {
        let prefixes = prefixes(objects: .readObjects, control: [.readControl, .replaceOwner, .replaceLedgers])
        return statement("ReadObjects", [.getObject], keys(prefixes) + jsonPaths(.storeJSONPaths, .readJSONPaths))
    }

    /// `IfExists`: when a key that does not exist is asked for, S3 looks whether the caller may list the bucket, and
    /// that look has no prefix. Without it a first run would get 403 in place of 404. The price: this identity can
    /// also list the bucket without a prefix, that is, see names outside its own prefixes.
    private func list() -> PolicyStatement? {
        let prefixes = prefixes(objects: .listObjects, control: [.listControl])
        return statement(
            "ListObjects", [.listBucket], prefixes.isEmpty ? [] : [bucketARN],
            conditions: ["StringLikeIfExists": ["s3:prefix": prefixes.map { $0 + "*" }]])
    }

    private func statement(
        _ sid: String, _ actions: Set<Permission>, _ resources: [String],
        conditions: [String: [String: [String]]] = [:]
    ) -> PolicyStatement? {
        guard !resources.isEmpty else { return nil }
        var conditions = conditions
        if let owner = file.destination.expectedBucketOwner {
            conditions["StringEquals"] = ["s3:ResourceAccount": [owner]]
        }
        return PolicyStatement(sid: sid, actions: actions, resources: resources, conditions: conditions)
    }

    /// The JSONPaths file, when it does not lie under the control prefix as everything else that is put beside the rows.
    private func jsonPaths(_ needed: PolicyNeed...) -> [String] {
        guard !needs.isDisjoint(with: needed), let key = file.redshift?.jsonPaths,
            !key.hasPrefix(file.destination.controlPrefix)
        else { return [] }
        return ["\(bucketARN)/\(key)"]
    }

    private func keys(_ prefixes: [String]) -> [String] { prefixes.map { "\(bucketARN)/\($0)*" } }

    /// The literal prefixes of the needs that are there, without those that lie inside another.
    private func prefixes(objects: PolicyNeed, control: Set<PolicyNeed>) -> [String] {
        var prefixes: [String] = []
        if needs.contains(objects) { prefixes.append(file.destination.prefix.literalPrefix) }
        if !needs.isDisjoint(with: control) { prefixes.append(file.destination.controlPrefix) }
        return prefixes.filter { prefix in !prefixes.contains { $0 != prefix && prefix.hasPrefix($0) } }
    }
}
