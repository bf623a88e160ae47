// A batch that was planned and not finished is finished first, from its plan: keys, range and settings come from the
// intent, never from today's job file. If the spool file is gone or damaged, the same records are read again and the
// same rows are made; the hash of the rows decides whether they are the same.

import AWS
import Batching
import CivilTime
import Crypto
import Diagnostics
import Gzip
import Records
import State

struct IntentReplay: Sendable {
    let run: RunContext

    /// Finishes one open intent. Throws what must be reported; the intent then stays open.
    func finish(_ intent: BatchIntent) async throws -> BatchIntent {
        if try spoolIsWhole(intent) { return try await run.committer.carryOut(intent) }
        run.dependencies.events.event(
            .warning, "spool files of an open batch are missing or damaged; reading its records again",
            [("shard", intent.shard), ("first", intent.first.text)])
        if let objects = try await allStored(intent) {
            var stored = intent
            stored.objects = objects
            return try await run.committer.conclude(stored)
        }
        let rebuilt = try await rebuild(intent)
        return try await run.committer.carryOut(rebuilt)
    }

    private func spoolIsWhole(_ intent: BatchIntent) throws -> Bool {
        for object in intent.objects {
            guard run.spool.size(of: object.spoolFile) == object.bytes else { return false }
            var hash = SHA256()
            try run.spool.read(object.spoolFile) { hash.update(bufferPointer: $0) }
            if hex(hash.finalize()) != object.sha256 { return false }
        }
        return true
    }

    /// The objects as they stand in S3, if every one of them already does.
    private func allStored(_ intent: BatchIntent) async throws -> [BatchObject]? {
        var stored: [BatchObject] = []
        for object in intent.objects {
            guard let found = try await run.committer.upload.existing(object, of: intent) else { return nil }
            stored.append(found)
        }
        return stored
    }

    /// Reads the intent's range again and makes its objects anew.
    private func rebuild(_ intent: BatchIntent) async throws -> BatchIntent {
        let subject = intent.shard
        for name in intent.objects.map(\.spoolFile) { try run.spool.remove(name) }
        let prefix = try PrefixTemplate(intent.settings.prefix)
        // Surplus partitions share one object; how many there may be is read off the plan.
        let overflow = prefix.renderOverflow(stream: intent.stream)
        let hasOverflow = intent.objects.contains { $0.partition == overflow }
        let context = BatchContext(
            job: intent.job, stream: intent.stream, streamCreation: intent.streamCreation, shard: intent.shard,
            parents: intent.parents, settings: intent.settings,
            // The plan's engine if this host has it. Another one makes other bytes of the same rows, which is all the same.
            engine: GzipEngine(madeBy: intent.settings.gzipEngine), rowsBytesMax: run.memoryPlan.rowsBytes,
            transform: try intent.settings.transform.decode(as: TransformSettings.self), prefix: prefix,
            seal: SealPolicy(bytes: .max, records: .max, partitions: .max),
            partitionsMax: max(1, intent.objects.count - (hasOverflow ? 1 : 0)), createdBy: intent.createdBy)
        let builder = try BatchBuilder(
            context: context, spool: run.spool, failpoints: run.dependencies.failpoints)
        let clock = run.clock
        let reader = PageReader(
            stream: run.streamReference, shard: intent.shard, start: .record(intent.first),
            storedHorizon: nil, retention: run.retention, bytesPerSecond: run.file.source.readRate,
            dependencies: run.dependencies, mayWait: { clock.mayRead })
        var emptyPages = 0
        builder.gap = intent.gap
        builder.backfill = intent.backfill
        builder.trimHorizon = intent.trimHorizon
        while builder.last != intent.last {
            guard clock.mayRead else {
                builder.abandon()
                throw ArchiveError(
                    "rebuild batch", subject, "the run had to end first", exitCode: .temporary, isTransient: true)
            }
            let page = try await next(reader, of: intent)
            for index in 0..<page.records.count where builder.last != intent.last {
                if builder.isEmpty, page.records.sequenceNumber(index) != intent.first.text { throw expired(intent) }
                try page.records.withRecord(index) { try builder.add($0) }
            }
            emptyPages = page.records.count == 0 ? emptyPages + 1 : 0
            let isTrimmed =
                emptyPages >= PageReader.trimmedEmptyPagesMax
                && Duration.milliseconds(page.records.millisBehindLatest) >= run.retention
            if page.isEnd || page.records.millisBehindLatest == 0 || isTrimmed, builder.last != intent.last {
                builder.abandon()
                throw expired(intent)
            }
        }
        guard let made = try builder.seal(previousManifest: intent.previousManifest, horizon: intent.horizon) else {
            throw expired(intent)
        }
        guard BatchManifest(intent: made).describesSameBatch(as: BatchManifest(intent: intent)) else {
            throw ArchiveError(
                "rebuild batch", subject, "the same records gave other rows than the plan of the batch says",
                hint: "finish the batch with the version of sluice that began it (\(intent.createdBy))",
                exitCode: .stateOrIdentity)
        }
        try await run.store.replaceIntent(intent, with: made)
        return made
    }

    /// Kinesis may also refuse a record that has expired, or answer with empty pages for ever.
    private func next(_ reader: PageReader, of intent: BatchIntent) async throws -> ShardPage {
        do {
            return try await reader.next()
        } catch let error as AWSError where error.message.contains("no longer available") {
            throw expired(intent)
        }
    }

    private func expired(_ intent: BatchIntent) -> ArchiveError {
        ArchiveError(
            "rebuild batch", intent.shard,
            "records \(intent.first.text) to \(intent.last.text) are needed again and are no longer on the stream",
            hint: "restore the files of the spool directory from a backup if there is one", exitCode: .sourceGap)
    }
}
