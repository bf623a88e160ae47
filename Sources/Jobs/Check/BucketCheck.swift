// The S3 part of `sluice check --live`.

import AWS
import Batching

struct BucketCheck {
    let s3: S3Client
    let file: ArchiveJobFile

    private var target: ArchiveJobFile.Destination { file.destination }
    private var bucketARN: String {
        "arn:\((AWSPartition.claiming(region: target.region) ?? .standard).name):s3:::\(target.bucket)"
    }
    private var rowsPrefix: String { target.prefix.literalPrefix }
    private var ownerKey: String { OwnerMarker.key(controlPrefix: target.controlPrefix) }

    func run(_ log: inout ProbeLog) async {
        let probeName = log.probeName
        for prefix in [rowsPrefix, target.controlPrefix] {
            _ = await log.attempt(.listBucket, on: resource(prefix), of: .s3) { () async throws(AWSError) in
                try await s3.listPage(prefix: prefix, keysMax: 1)
            }
        }
        await noteRegion(&log)
        _ = await log.attempt(.getObject, on: resource(rowsPrefix), of: .s3) { () async throws(AWSError) in
            try await s3.headObject(key: rowsPrefix + probeName)
        }
        let marker = await log.attempt(.getObject, on: resource(target.controlPrefix), of: .s3) {
            () async throws(AWSError) in
            try await s3.getObject(key: ownerKey, bytesMax: OwnerMarker.bytesMax)
        }
        if log.isMissing(.listBucket), log.isMissing(.getObject) {
            log.doubt(.getObject, because: "without s3:ListBucket S3 says 403 of a key that does not exist")
        }
        await put(&log)
        encryption(readMarker: marker.flatMap(\.self) != nil, &log)
    }

    private func put(_ log: inout ProbeLog) async {
        let probeName = log.probeName
        let plain = ObjectAttributes(sse: target.sse, kmsKeyID: target.kmsKeyID)
        for prefix in [rowsPrefix, target.controlPrefix] {
            _ = await log.attempt(.putObject, on: resource(prefix), of: .s3) { () async throws(AWSError) in
                try await s3.probePutObject(key: prefix + probeName, condition: .ifAbsent, attributes: plain)
            }
        }
        let ledgers = BackfillLedger.folder(controlPrefix: target.controlPrefix)
        for (key, name) in [(ownerKey, ownerKey), (ledgers + probeName, ledgers + "*")] {
            _ = await log.attempt(
                .putObject, on: "\(bucketARN)/\(name)", of: .s3, note: { _ in "replaced by compare-and-swap" }
            ) { () async throws(AWSError) in
                try await s3.probePutObject(
                    key: key, condition: .ifMatch(S3Client.impossibleETag), attributes: plain)
            }
        }
        guard !target.tags.isEmpty else { return }
        guard !log.isMissing(.putObject) else {
            return log.skip(.putObjectTagging, on: resource(rowsPrefix), because: "it takes s3:PutObject")
        }
        var tagged = plain
        tagged.tags = target.tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for prefix in [rowsPrefix, target.controlPrefix] {
            _ = await log.attempt(.putObjectTagging, on: resource(prefix), of: .s3) { () async throws(AWSError) in
                try await s3.probePutObject(key: prefix + probeName, condition: .ifAbsent, attributes: tagged)
            }
        }
    }

    private func encryption(readMarker: Bool, _ log: inout ProbeLog) {
        guard target.sse?.hasPrefix("aws:kms") == true else { return }
        let key = target.kmsKeyID ?? "the key of the bucket"
        log.skip(.generateDataKey, on: key, because: "S3 asks for it only when an object is stored")
        if readMarker {
            log.isAllowed(.decrypt, on: key)
        } else {
            log.skip(.decrypt, on: key, because: "there is no object to read yet")
        }
    }

    /// HEAD names the bucket's region whatever its status.
    private func noteRegion(_ log: inout ProbeLog) async {
        var region: String?
        do throws(AWSError) {
            region = try await s3.headBucket()
        } catch {
            region = error.bucketRegion
        }
        guard let region, region != target.region else { return }
        log.note("the bucket lies in \(region), not in \(target.region): set destination.region")
    }

    private func resource(_ prefix: String) -> String { "\(bucketARN)/\(prefix)*" }
}
