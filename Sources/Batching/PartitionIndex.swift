// Finds the partition of each row. Called once a row: in the common case it compares bytes with the row before and
// allocates nothing; text is made only when a partition is seen for the first time.

package import CivilTime

/// The partitions of one open batch, numbered from 0 in order of appearance. Not Sendable: it belongs to the batch
/// builder of one shard.
package final class PartitionIndex {
    package let template: PrefixTemplate
    package let stream: String
    /// Partitions beyond this share one more, whose values are `__other__`.
    package let partitionsMax: Int
    /// Bounds the look-up table; keys beyond it are found by their text, which is slower.
    private static let keysPerPartition = 4

    private var prefixes: [String] = []
    private var identifierByPrefix: [String: Int] = [:]
    private var identifierByKey: [Key: Int] = [:]
    private var overflow: Int?

    private let bucket: TimeBucket
    private let usesSite: Bool
    private let usesHost: Bool
    private let usesProgram: Bool
    private let usesSeverity: Bool

    /// The span of time that `currentBucket` stands for.
    private var bucketStart = Timestamp(microseconds: .max)
    private var bucketEnd = Timestamp(microseconds: .max)
    private var currentBucket: Int64 = 0

    /// The key of the row before and its partition.
    private var lastKey: [UInt8] = []
    private var lastIdentifier: Int?
    private var scratch: [UInt8] = []

    /// - Parameter partitionsMax: at least 1.
    package init(template: PrefixTemplate, stream: String, partitionsMax: Int) {
        precondition(partitionsMax >= 1, "a batch needs room for one partition")
        self.template = template
        self.stream = stream
        self.partitionsMax = partitionsMax
        let fields = template.fields
        bucket = TimeBucket(fields: fields)
        usesSite = fields.contains(.site)
        usesHost = fields.contains(.host)
        usesProgram = fields.contains(.program)
        usesSeverity = fields.contains(.severity)
    }

    /// Partitions seen since the start of the batch, the shared one included.
    package var count: Int { prefixes.count }

    /// The rendered prefix of a partition.
    package func prefix(of identifier: Int) -> String { prefixes[identifier] }

    /// True for the partition that the surplus shares.
    package func isOverflow(_ identifier: Int) -> Bool { identifier == overflow }

    /// Forgets all partitions: a new batch begins.
    package func removeAll() {
        prefixes.removeAll(keepingCapacity: true)
        identifierByPrefix.removeAll(keepingCapacity: true)
        identifierByKey.removeAll(keepingCapacity: true)
        overflow = nil
        lastIdentifier = nil
    }

    /// The partition of a row. Fields that the template does not use are not looked at; empty means absent.
    package func identifier(
        time: Timestamp, site: UnsafeRawBufferPointer, host: UnsafeRawBufferPointer, program: UnsafeRawBufferPointer,
        severity: Int?
    ) -> Int {
        if time < bucketStart || time >= bucketEnd { enterBucket(of: time) }
        scratch.removeAll(keepingCapacity: true)
        withUnsafeBytes(of: currentBucket) { scratch.append(contentsOf: $0) }
        if usesSeverity { scratch.append(severity.map { UInt8(truncatingIfNeeded: $0) } ?? 0xFF) }
        if usesSite { append(site) }
        if usesHost { append(host) }
        if usesProgram { append(program) }
        if let lastIdentifier, scratch == lastKey { return lastIdentifier }
        let found = identifierByKey[Key(bytes: scratch)] ?? add(time, site, host, program, severity)
        swap(&scratch, &lastKey)
        lastIdentifier = found
        return found
    }

    /// Length first, so that neighbouring fields cannot run into each other.
    private func append(_ field: UnsafeRawBufferPointer) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: field.count)) { scratch.append(contentsOf: $0) }
        scratch.append(contentsOf: field)
    }

    private func enterBucket(of time: Timestamp) {
        let span = bucket.span(containing: time)
        bucketStart = span.start
        bucketEnd = span.end
        currentBucket = span.number
    }

    /// Looks a new key up by its text: two keys may render alike (`{hour}` without `{date}`).
    private func add(
        _ time: Timestamp, _ site: UnsafeRawBufferPointer, _ host: UnsafeRawBufferPointer,
        _ program: UnsafeRawBufferPointer, _ severity: Int?
    ) -> Int {
        let text = rendered(time, site, host, program, severity)
        let found = identifierByPrefix[text] ?? register(text)
        if identifierByKey.count < partitionsMax * Self.keysPerPartition {
            identifierByKey[Key(bytes: scratch)] = found
        }
        return found
    }

    private func rendered(
        _ time: Timestamp, _ site: UnsafeRawBufferPointer, _ host: UnsafeRawBufferPointer,
        _ program: UnsafeRawBufferPointer, _ severity: Int?
    ) -> String {
        template.render(
            PartitionValues(
                time: time, stream: stream, site: site, host: host, program: program, severity: severity))
    }

    private func register(_ prefix: String) -> Int {
        if let overflow { return overflow }
        let isFull = prefixes.count == partitionsMax
        let text = isFull ? template.renderOverflow(stream: stream) : prefix
        let identifier = prefixes.count
        if isFull { overflow = identifier }
        prefixes.append(text)
        identifierByPrefix[text] = identifier
        return identifier
    }

    /// Hashed in one piece and with the process's random seed: log lines cannot choose collisions.
    private struct Key: Hashable {
        let bytes: [UInt8]
        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }
}
