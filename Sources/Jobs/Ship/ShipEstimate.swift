// `sluice ship --dry-run`: what a run would send, and how many shards it takes. Reads files and positions; sends and
// writes nothing.
import AWS
package import CivilTime
package import Diagnostics
import Records

package struct ShipEstimate: Sendable {
    /// What one way to pack lines comes to.
    package struct Packing: Sendable {
        package var aggregate: ShipJobFile.Aggregate
        package var records = 0
        /// Data and partition keys.
        package var bytes = 0
        package var requests = 0
        /// Of the busiest minute, each second.
        package var peakRecords = 0.0
        package var peakBytes = 0.0
        /// What a shard takes each second (Amazon Kinesis quotas).
        package static let shardRecords = 1_000.0
        package static let shardBytes = 1_000_000.0

        /// Shards that take the busiest minute as it comes.
        package var shards: Int {
            max(1, Int((max(peakRecords / Self.shardRecords, peakBytes / Self.shardBytes)).rounded(.up)))
        }
    }

    package var job: String
    package var stream: String
    package var files: [ShipReport.File] = []
    /// As the job file says, and the other way: lines alone, or sharing records.
    package var packings: [Packing] = []
    package var first: Timestamp?
    package var last: Timestamp?
    package var exitCode: ExitCode = .done

    /// Minutes that are told apart when the busiest one is looked for.
    private static let minutesMax = 1_000_000

    /// - Throws: when positions or files cannot be read.
    package static func run(
        file: ShipJobFile, events: any JobEvents, time: any TimeSource, hostName: String
    ) throws -> ShipEstimate {
        var estimate = ShipEstimate(job: file.name, stream: file.destination.stream.name)
        let stored = try PositionFile(directory: file.stateDirectory).load(
            job: file.name, stream: file.destination.stream.name
        ) { events.event(.warning, $0, []) }
        let wanted = file.destination.aggregate
        for aggregate in wanted == .none ? [.none, file.record == .fluentd ? .kpl : .lines] : [wanted, .none] {
            var variant = file
            variant.destination.aggregate = aggregate
            let isFirst = estimate.packings.isEmpty
            let counter = try Counter(isTimed: aggregate == .none)
            let files = try counter.count(
                variant, stored.files, events: isFirst ? events : Silence(), time: time, hostName: hostName)
            estimate.packings.append(counter.packing(aggregate))
            if isFirst { estimate.take(files) }
            if aggregate == .none { (estimate.first, estimate.last) = (counter.first, counter.last) }
        }
        estimate.spread()
        return estimate
    }

    private mutating func take(_ set: FileSet) {
        files = set.files.map { file in
            var account = file.account
            account.path = file.currentPath
            return account
        }
        exitCode = ExitCode.mostUrgent(set.problems.values.map(\.exitCode))
    }

    /// Aggregated records have no time of their own: their busiest minute is that of the lines, packed as tightly.
    private mutating func spread() {
        guard let plain = packings.first(where: { $0.aggregate == .none }), plain.records > 0, plain.bytes > 0 else {
            return
        }
        for index in packings.indices where packings[index].aggregate != .none {
            packings[index].peakRecords =
                plain.peakRecords * Double(packings[index].records) / Double(plain.records)
            packings[index].peakBytes = plain.peakBytes * Double(packings[index].bytes) / Double(plain.bytes)
        }
    }

    /// Says nothing: the second reading meets the same troubles as the first.
    private struct Silence: JobEvents {
        func event(_ level: EventLevel, _ message: String, _ fields: [(String, String)]) {}
        func progress(_ snapshot: ProgressSnapshot) {}
    }

    /// Stands where the stream would be.
    private final class Counter {
        private var records = 0
        private var bytes = 0
        private var requests = 0
        private var minutes: [Int64: (records: Int, bytes: Int)] = [:]
        private(set) var first: Timestamp?
        private(set) var last: Timestamp?
        private let transformer: RecordTransformer?

        init(isTimed: Bool) throws {
            transformer = isTimed ? try RecordTransformer(settings: TransformSettings()) : nil
        }

        func count(
            _ file: ShipJobFile, _ stored: [FilePosition], events: any JobEvents, time: any TimeSource, hostName: String
        ) throws -> FileSet {
            let framer = ShipReader.framer(file)
            let budget = MemoryBudget(
                memory: file.limits.memory, recordBytesMax: file.destination.recordBytes,
                bufferBytesMin: framer.bufferBytesMin, requestBytesMax: file.destination.requestBytes, inFlightMax: 1)
            let set = FileSet(
                listing: FileListing(patterns: file.files, rotatedPatterns: file.rotated), start: file.start,
                events: events)
            let now = time.monotonicNanoseconds()
            set.begin(stored, now: now, wall: time.now(), needsFiles: true)
            let reader = ShipReader(
                file: file, logs: set, budget: budget, framer: framer, hostName: hostName, isOnce: true, random: { 0.5 }
            )
            reader.setAside = { set.files[$0.item.file].account.deadLetters += 1 }
            for file in set.files where file.isReadable {
                file.target = file.isCompressed ? nil : file.position.sizeSeen
                file.pendingSince = now
            }
            var queue = SendQueue(limits: budget.limits)
            var isCaughtUp = false
            while !isCaughtUp {
                isCaughtUp = try reader.read(into: &queue, now: now, wall: time.now()) == .caughtUp
                while let request = queue.next(now: now, sendsPart: isCaughtUp) {
                    for (index, item) in request.batch.items.enumerated() {
                        note(request.batch, index)
                        set.files[item.file].account.lines += item.lines
                    }
                    requests += 1
                    let answer = PutRecordsAnswer(storedCount: request.batch.count)
                    _ = queue.settle(request.id, answer, now: now, random: 0)
                }
            }
            return set
        }

        private func note(_ batch: ShipBatch, _ index: Int) {
            let size = batch.records.recordBytes(index)
            records += 1
            bytes += size
            guard let transformer else { return }
            var event: Timestamp?
            let origin = RecordOrigin(arrival: Timestamp(microseconds: 0))
            // Bad data is no error here, and the callback throws nothing.
            try? batch.records.data(index).withUnsafeBytes { data in
                try transformer.transformRecord(data, origin: origin) { facts, _ in event = event ?? facts.eventTime }
            }
            guard let event, event.microseconds > 0 else { return }
            first = min(first ?? event, event)
            last = max(last ?? event, event)
            let minute = event.seconds / 60
            guard minutes[minute] != nil || minutes.count < ShipEstimate.minutesMax else { return }
            minutes[minute, default: (0, 0)].records += 1
            minutes[minute, default: (0, 0)].bytes += size
        }

        func packing(_ aggregate: ShipJobFile.Aggregate) -> Packing {
            var packing = Packing(aggregate: aggregate, records: records, bytes: bytes, requests: requests)
            packing.peakRecords = Double(minutes.values.map(\.records).max() ?? 0) / 60
            packing.peakBytes = Double(minutes.values.map(\.bytes).max() ?? 0) / 60
            return packing
        }
    }
}
