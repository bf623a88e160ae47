// Turns the records of one shard into one batch: rows into partitions, partitions into spool files. A batch is a run
// of whole records, so every decision to cut is taken between two records and depends only on them and the settings.

import AWS
import Batching
import CivilTime
import Diagnostics
import Gzip
import Records

/// What a batch is made with; equal values and equal records give equal bytes.
struct BatchContext: Sendable {
    var job: String
    var stream: String
    var streamCreation: Timestamp
    var shard: String
    var parents: [String]
    var settings: BatchSettings
    var engine: GzipEngine
    /// Memory for rows that wait for compression, in all open objects.
    var rowsBytesMax: Int
    var transform: TransformSettings
    var prefix: PrefixTemplate
    var seal: SealPolicy
    /// Partitions beyond this share one.
    var partitionsMax: Int
    var createdBy: String
}

/// Not Sendable: it belongs to the worker of one shard.
final class BatchBuilder {
    let context: BatchContext
    private let spool: SpoolDirectory
    private let failpoints: Failpoints
    private let transformer: RecordTransformer
    private let writer: ChunkWriter
    private let usesEventTime: Bool
    private let partitions: PartitionIndex
    private var objects: [OpenObject] = []
    /// Memory that the open objects take now.
    private var rowsMemory = 0

    private var first: SequenceNumber?
    /// The last record's sequence number, as bytes: it changes with every record.
    private var lastDigits: [UInt8] = []
    private(set) var records = 0
    private(set) var recordBytes = 0
    private(set) var rows = 0
    private var firstArrival = Timestamp(microseconds: 0)
    private var lastArrival = Timestamp(microseconds: 0)
    private var statusCounts = [Int](repeating: 0, count: ParseStatus.allCases.count)
    /// The gap that lies before this batch, if one was found.
    var gap: GapRecord?
    /// What arrived before this had expired when the shard was first read; told once.
    var trimHorizon: Timestamp?
    /// Set when the batch fills a hole.
    var backfill: BackfillMark?

    init(context: BatchContext, spool: SpoolDirectory, failpoints: Failpoints) throws {
        let compressor = try context.engine.compressor(level: context.settings.gzipLevel)
        var context = context
        context.settings.gzipEngine = compressor.engine
        self.context = context
        self.spool = spool
        self.failpoints = failpoints
        transformer = try RecordTransformer(settings: context.transform)
        writer = ChunkWriter(compressor: compressor, spool: spool, failpoints: failpoints)
        usesEventTime = context.settings.partitionTime == ArchiveJobFile.PartitionTime.event.rawValue
        partitions = PartitionIndex(
            template: context.prefix, stream: context.stream, partitionsMax: context.partitionsMax)
    }

    var isEmpty: Bool { records == 0 }
    var last: SequenceNumber? { SequenceNumber(String(decoding: lastDigits, as: UTF8.self)) }

    /// True when the batch must be cut before the next record.
    var mustSeal: Bool {
        context.seal.mustSeal(
            largestObjectBytes: largestObjectBytes, records: records, openPartitions: objects.count)
    }
    private var largestObjectBytes = 0

    /// Adds one record with all its rows.
    func add(_ record: GetRecordsPage.RecordView) throws {
        if first == nil {
            first = SequenceNumber(String(decoding: record.sequenceNumber, as: UTF8.self))
            firstArrival = record.arrival
            lastArrival = record.arrival
        }
        lastDigits.removeAll(keepingCapacity: true)
        lastDigits.append(contentsOf: record.sequenceNumber)
        firstArrival = min(firstArrival, record.arrival)
        lastArrival = max(lastArrival, record.arrival)
        records += 1
        recordBytes += record.data.count
        let origin = RecordOrigin(
            shardID: context.shard, sequenceNumber: record.sequenceNumber, arrival: record.arrival,
            partitionKey: record.partitionKey)
        try transformer.transformRecord(record.data, origin: origin) { facts, row in
            try self.append(row, facts: facts)
        }
    }

    private func append(_ row: UnsafeRawBufferPointer, facts: RowFacts) throws {
        let index = partitions.identifier(
            time: usesEventTime ? facts.eventTime : facts.arrival, site: facts.site, host: facts.host,
            program: facts.program, severity: facts.severity)
        if index == objects.count { try open(partitions.prefix(of: index), event: facts.eventTime) }
        rows += 1
        statusCounts[facts.status.index] += 1
        let object = objects[index]
        let grown = try object.append(row, event: facts.eventTime, through: writer)
        largestObjectBytes = max(largestObjectBytes, object.bytes)
        guard grown > 0 else { return }
        rowsMemory += grown
        while rowsMemory > context.rowsBytesMax, try relieveLargest() {}
    }

    /// Which object is compressed early depends on the rows and the settings alone, as everything in a batch does.
    /// - Returns: false when nothing was gained.
    private func relieveLargest() throws -> Bool {
        guard let largest = objects.max(by: { $0.memoryBytes < $1.memoryBytes }) else { return false }
        let freed = try largest.relieve(through: writer)
        rowsMemory -= freed
        largestObjectBytes = max(largestObjectBytes, largest.bytes)
        return freed > 0
    }

    private func open(_ prefix: String, event: Timestamp) throws {
        guard let first else {
            throw ArchiveError(
                "read record", context.shard, "its sequence number is not a decimal number",
                exitCode: .internalFault)
        }
        objects.append(
            try OpenObject(
                key: objectKey(prefix: prefix, stream: context.stream, shard: context.shard, first: first),
                partition: prefix, spoolFile: "\(context.shard)-\(first.padded)-\(objects.count).ndjson.gz",
                chunkBytes: context.settings.chunkBytes, dictionaryBytesMax: writer.dictionaryBytesMax,
                firstEvent: event))
    }

    /// Ends all objects, makes them durable, and gives the plan of the batch; nil when it is empty. The builder is
    /// empty afterwards.
    /// - Parameter horizon: set when the batch ends with a page: everything that arrived before is in it or earlier.
    func seal(previousManifest: String?, horizon: Timestamp?) throws -> BatchIntent? {
        guard let first, let last else { return nil }
        let finished = try objects.map { try $0.finish(through: writer) }
        try failpoints.hit(.spoolSyncBefore)
        for object in finished { try spool.sync(object.spoolFile) }
        try spool.syncDirectory()
        try failpoints.hit(.spoolSyncAfter)
        var counts: [String: Int] = [:]
        for status in ParseStatus.allCases where statusCounts[status.index] > 0 {
            counts[status.rawValue] = statusCounts[status.index]
        }
        let events = finished.map(\.firstEvent).min()
        let intent = BatchIntent(
            job: context.job, stream: context.stream, streamCreation: context.streamCreation, shard: context.shard,
            parents: context.parents, first: first, last: last, records: records, recordBytes: recordBytes,
            previousManifest: previousManifest, objects: finished, firstArrival: firstArrival, lastArrival: lastArrival,
            firstEvent: events ?? firstArrival, lastEvent: finished.map(\.lastEvent).max() ?? lastArrival,
            statusCounts: counts, gap: gap, backfill: backfill, trimHorizon: trimHorizon, horizon: horizon,
            settings: context.settings,
            createdBy: context.createdBy)
        reset()
        return intent
    }

    /// Forgets the batch and removes its files: its records are read again by the next run.
    func abandon() {
        // A file that cannot be removed now is removed as a leftover by the next run.
        for object in objects { try? spool.remove(object.spoolFile) }
        reset()
    }

    private func reset() {
        objects = []
        rowsMemory = 0
        partitions.removeAll()
        first = nil
        lastDigits = []
        records = 0
        recordBytes = 0
        rows = 0
        largestObjectBytes = 0
        for index in statusCounts.indices { statusCounts[index] = 0 }
        gap = nil
        backfill = nil
        trimHorizon = nil
    }
}

extension ParseStatus {
    /// Its place among all cases, for counting without hashing.
    fileprivate var index: Int {
        switch self {
        case .ok: 0
        case .ambiguous: 1
        case .continuation: 2
        case .partial: 3
        case .unparsed: 4
        }
    }
}
