// `sluice check --live`: tries each action that the job needs, the way the job would use it, and leaves nothing behind:
// no object, no record, no iterator that anybody waits for.

package import AWS
import Batching
import Diagnostics

package struct LiveCheck: Sendable {
    private let kinesis: KinesisClient
    /// Nil for a job that has no bucket.
    private let s3: S3Client?
    /// Nil for a job without `redshift:`.
    private let redshift: RedshiftDataClient?
    /// Goes into the names of keys that are asked for and do not exist.
    private let newID: @Sendable () -> String

    package init(
        kinesis: KinesisClient, s3: S3Client?, redshift: RedshiftDataClient?,
        newID: @escaping @Sendable () -> String
    ) {
        self.kinesis = kinesis
        self.s3 = s3
        self.redshift = redshift
        self.newID = newID
    }

    package func run(_ file: JobFile) async -> LiveReport {
        var log = ProbeLog(probeName: "sluice-check-\(newID())")
        switch file {
        case .archive(let file):
            await readStream(file.source.stream, &log)
            if let s3 { await BucketCheck(s3: s3, file: file).run(&log) }
            if let redshift, let settings = file.redshift {
                await RedshiftCheck(client: redshift, settings: settings).run(&log)
            }
        case .ship(let file): await writeStream(file.destination.stream, &log)
        }
        return log.report
    }

    private func readStream(_ stream: StreamReference, _ log: inout ProbeLog) async {
        let summary = await describe(stream, &log)
        let resource = summary?.arn ?? name(stream)
        let shards = await log.attempt(.listShards, on: resource, of: .kinesis) { () async throws(AWSError) in
            try await kinesis.listShards(stream: stream.reference)
        }
        // Without a listing the first shard of every stream is asked for; that it may be gone is another answer.
        let shard = shards?.first?.id ?? "shardId-000000000000"
        let iterator = await log.attempt(.getShardIterator, on: resource, of: .kinesis) { () async throws(AWSError) in
            try await firstIterator(stream, shard: shard, isSure: shards?.first != nil)
        }
        guard let iterator, let iterator else {
            log.skip(.getRecords, on: resource, because: "it takes an iterator")
            return
        }
        let page = await log.attempt(.getRecords, on: resource, of: .kinesis) { () async throws(AWSError) in
            try await kinesis.getRecords(iterator: iterator, limit: 1, subject: "\(stream.name)/\(shard)")
        }
        guard let key = summary?.kmsKeyID, let page else { return }
        if page.count == 0 {
            log.skip(.decrypt, on: key, because: "the stream is encrypted, and no record lay where it was read")
        } else {
            log.isAllowed(.decrypt, on: key)
        }
    }

    /// Nil when the guessed shard is not there: the caller was let through, and that is all.
    private func firstIterator(_ stream: StreamReference, shard: String, isSure: Bool) async throws(AWSError) -> String?
    {
        do throws(AWSError) {
            return try await kinesis.getShardIterator(
                stream: stream.reference, shard: shard, position: .trimHorizon)
        } catch {
            guard !isSure, error.category == .missing else { throw error }
            return nil
        }
    }

    private func writeStream(_ stream: StreamReference, _ log: inout ProbeLog) async {
        let summary = await describe(stream, &log)
        let resource = summary?.arn ?? name(stream)
        _ = await log.attempt(
            .putRecords, on: resource, of: .kinesis,
            note: { _ in "refused for the probe's hash key, not for the caller; AWS documents no order" }
        ) { () async throws(AWSError) in
            try await kinesis.probePutRecords(stream: stream.reference)
        }
        if let key = summary?.kmsKeyID {
            log.skip(.generateDataKey, on: key, because: "the stream is encrypted; only a record that is stored tells")
        }
    }

    private func describe(_ stream: StreamReference, _ log: inout ProbeLog) async -> StreamSummary? {
        let summary = await log.attempt(
            .describeStreamSummary, on: name(stream), of: .kinesis,
            note: {
                "\($0.openShardCount) open \($0.openShardCount == 1 ? "shard" : "shards"), \($0.retentionHours) h retention"
            }
        ) { () async throws(AWSError) in
            try await kinesis.describeStreamSummary(stream: stream.reference)
        }
        if let key = summary?.kmsKeyID {
            log.note("the stream is encrypted with \(key): `sluice policy --stream-key \(key)` allows for it")
        }
        return summary
    }

    private func name(_ stream: StreamReference) -> String {
        stream.arn ?? "stream \(stream.name) in \(stream.region)"
    }
}
