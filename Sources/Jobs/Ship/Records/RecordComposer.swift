// From framed lines to Kinesis records: in which form a line is sent, under which partition key, and how many share a
// record. Pure but for the random numbers that are passed in. What must stay true: with `partition_key: source` the key
// of a line, or of the first line of LF-joined ones, says where its first byte stands in the log.
import Crypto
import Records

struct RecordComposer {
    struct Settings {
        var record: ShipJobFile.RecordForm
        var fluentd: ShipJobFile.Fluentd
        var aggregate: ShipJobFile.Aggregate
        var partitionKey: ShipJobFile.PartitionKey
        /// Data of an aggregated record; a single line may be longer.
        var aggregateBytesMax: Int
        /// Data and key of a record.
        var recordBytesMax: Int
        /// In 0..<1.
        var random: @Sendable () -> Double
    }

    /// A record that is larger than the stream takes, as it came out.
    struct Oversize {
        var data: [UInt8]
        var partitionKey: String
        var item: ShipItem
    }

    private let settings: Settings
    private var fluentd: FluentdRecord
    private var group = Group()
    private var encoded: [UInt8] = []
    /// Used for one aggregate after the other.
    private var writer = KPLWriter(explicitHashKey: 0)
    /// Whole but for their digests, which are made together.
    private var aggregates: [Aggregate] = []
    private var aggregateCount = 0

    private struct Aggregate {
        var data: [UInt8] = []
        var key: [UInt8] = []
        var hashKey: UInt128 = 0
        var item: ShipItem
    }
    /// Lines that fluentd's syslog format does not match.
    private(set) var unmatchedLines = 0

    /// Lines that will share a record.
    private struct Group {
        var item: ShipItem?
        /// The record so far: lines with line feeds between them, or nothing but the first line before a second one
        /// makes an aggregate of them.
        var data: [UInt8] = []
        var key: [UInt8] = []
        var site: [UInt8]?
        var isJSON = false
        /// The lines are in the writer.
        var isAggregate = false
        var hashKey: UInt128 = 0
    }

    init(settings: Settings) {
        self.settings = settings
        fluentd = FluentdRecord(keepTimeKey: settings.fluentd.keepTimeKey, newline: settings.fluentd.newline)
    }

    /// True when the framer must say which lines bear a header: those without would be joined to the line before.
    static func needsStarts(_ aggregate: ShipJobFile.Aggregate) -> Bool { aggregate == .lines }

    /// Takes one framed record of file `file`. Gives it back when it is larger than a record may be.
    mutating func add(
        _ record: FramedRecord, _ bytes: UnsafeRawBufferPointer, file: Int, keys: inout SourceKeyWriter,
        into queue: inout SendQueue
    ) -> Oversize? {
        let item = ShipItem(file: file, offset: record.offset, end: record.end, lines: record.lines)
        if settings.partitionKey == .source {
            return keys.withKey(offset: record.offset) { add(record, bytes, item, key: $0, site: nil, into: &queue) }
        }
        let site = settings.partitionKey == .site ? SiteKey.site(in: bytes) : nil
        if let site {
            return site.withUnsafeBytes { add(record, bytes, item, key: $0, site: site, into: &queue) }
        }
        if settings.partitionKey == .random {
            return randomKey().withUnsafeBytes { add(record, bytes, item, key: $0, site: nil, into: &queue) }
        }
        return keys.withKey(offset: record.offset) { add(record, bytes, item, key: $0, site: nil, into: &queue) }
    }

    /// Sends what waits for more lines.
    mutating func flush(into queue: inout SendQueue) {
        endGroup(into: &queue)
        sendAggregates(into: &queue)
    }

    private mutating func endGroup(into queue: inout SendQueue) {
        guard let item = group.item else { return }
        if group.isAggregate {
            endAggregate(item)
            if aggregateCount == ManyMD5.lanes { sendAggregates(into: &queue) }
        } else {
            sendAggregates(into: &queue)
            Self.append(group.data, group.key, hashKey: nil, item, into: &queue)
        }
        group.item = nil
        group.isAggregate = false
        group.data.removeAll(keepingCapacity: true)
    }

    // MARK: - One line

    private func randomKey() -> [UInt8] {
        var key: [UInt8] = []
        for _ in 0..<8 { key += hex(CollectionOfOne(UInt8(settings.random() * 256))).utf8 }
        return key
    }

    private mutating func add(
        _ record: FramedRecord, _ bytes: UnsafeRawBufferPointer, _ item: ShipItem, key: UnsafeRawBufferPointer,
        site: [UInt8]?, into queue: inout SendQueue
    ) -> Oversize? {
        if settings.record == .fluentd || record.isCut {
            encode(record, bytes)
            return encoded.withUnsafeBytes { send($0, record, item, key, site, into: &queue) }
        }
        let data = bytes.isEmpty ? UnsafeRawBufferPointer(start: nil, count: 0) : bytes
        return send(data, record, item, key, site, into: &queue)
    }

    private mutating func encode(_ record: FramedRecord, _ bytes: UnsafeRawBufferPointer) {
        encoded.removeAll(keepingCapacity: true)
        var line = bytes
        var marked: [UInt8] = []
        if record.isCut {
            marked = Array(bytes) + FramingRules.cutMark
        }
        marked.withUnsafeBytes { marked in
            if record.isCut { line = marked }
            if settings.record == .fluentd {
                if !fluentd.encode(line, into: &encoded) { unmatchedLines += 1 }
            } else {
                line.withMemoryRebound(to: UInt8.self) { encoded.append(contentsOf: $0) }
            }
        }
    }

    private mutating func send(
        _ data: UnsafeRawBufferPointer, _ record: FramedRecord, _ item: ShipItem, _ key: UnsafeRawBufferPointer,
        _ site: [UInt8]?, into queue: inout SendQueue
    ) -> Oversize? {
        guard data.count + key.count <= settings.recordBytesMax else {
            return Oversize(data: Array(data), partitionKey: String(decoding: key, as: UTF8.self), item: item)
        }
        let isAlone =
            settings.aggregate == .none || record.isPiece || data.isEmpty || data.count > settings.aggregateBytesMax
        if isAlone || !fits(data, record, item, key, site) { endGroup(into: &queue) }
        if isAlone {
            sendAggregates(into: &queue)
            queue.append(data: data, partitionKey: key, item: item)
        } else {
            join(data, item, key, site, isJSON: record.isJSON)
        }
        return nil
    }

    // MARK: - Lines that share a record

    private func fits(
        _ data: UnsafeRawBufferPointer, _ record: FramedRecord, _ item: ShipItem, _ key: UnsafeRawBufferPointer,
        _ site: [UInt8]?
    ) -> Bool {
        guard let before = group.item else { return true }
        guard before.file == item.file, before.end == item.offset, group.site == site else { return false }
        let limit = min(settings.aggregateBytesMax, settings.recordBytesMax - SourceKeyWriter.keyBytesMax)
        if settings.aggregate == .lines {
            // A line without a header behind another one would be taken for a part of it, and so would a JSON object
            // behind a text.
            return record.startsRecord && record.isJSON == group.isJSON && group.data.count + 1 + data.count <= limit
        }
        return (group.isAggregate ? writer.byteCount : group.data.count) + data.count + key.count + Self.kplOverheadMax
            <= limit
    }

    /// What a user record, and the frame of an aggregate with its hash key, take besides data and key.
    private static let kplOverheadMax = 96

    private mutating func join(
        _ data: UnsafeRawBufferPointer, _ item: ShipItem, _ key: UnsafeRawBufferPointer, _ site: [UInt8]?, isJSON: Bool
    ) {
        guard var joined = group.item else {
            group.item = item
            group.site = site
            group.isJSON = isJSON
            group.key.removeAll(keepingCapacity: true)
            key.withMemoryRebound(to: UInt8.self) { group.key.append(contentsOf: $0) }
            group.data.removeAll(keepingCapacity: true)
            data.withMemoryRebound(to: UInt8.self) { group.data.append(contentsOf: $0) }
            return
        }
        if settings.aggregate == .lines {
            group.data.append(0x0A)
            data.withMemoryRebound(to: UInt8.self) { group.data.append(contentsOf: $0) }
        } else {
            if !group.isAggregate { beginAggregate() }
            writer.append(data: data, partitionKey: key)
        }
        joined.end = item.end
        joined.lines += item.lines
        group.item = joined
    }

    /// All user records name the hash key of the whole, so that a reader that filters by shard keeps them.
    private mutating func beginAggregate() {
        group.hashKey = Insecure.MD5.hash(data: group.key).reduce(0) { $0 << 8 | UInt128($1) }
        writer.use(explicitHashKey: group.hashKey)
        group.data.withUnsafeBytes { data in
            group.key.withUnsafeBytes { writer.append(data: data, partitionKey: $0) }
        }
        group.isAggregate = true
    }

    private mutating func endAggregate(_ item: ShipItem) {
        if aggregateCount == aggregates.count { aggregates.append(Aggregate(item: item)) }
        aggregates[aggregateCount].data.removeAll(keepingCapacity: true)
        writer.finishUndigested(into: &aggregates[aggregateCount].data)
        aggregates[aggregateCount].key = group.key
        aggregates[aggregateCount].hashKey = group.hashKey
        aggregates[aggregateCount].item = item
        aggregateCount += 1
    }

    private mutating func sendAggregates(into queue: inout SendQueue) {
        guard aggregateCount > 0 else { return }
        let digests = ManyMD5.digests(aggregates[..<aggregateCount].map { KPLWriter.digested($0.data[...]) })
        for (place, digest) in digests.enumerated() {
            aggregates[place].data += digest
            let aggregate = aggregates[place]
            Self.append(aggregate.data, aggregate.key, hashKey: aggregate.hashKey, aggregate.item, into: &queue)
        }
        aggregateCount = 0
    }

    private static func append(
        _ data: [UInt8], _ key: [UInt8], hashKey: UInt128?, _ item: ShipItem, into queue: inout SendQueue
    ) {
        data.withUnsafeBytes { data in
            key.withUnsafeBytes { queue.append(data: data, partitionKey: $0, explicitHashKey: hashKey, item: item) }
        }
    }
}
