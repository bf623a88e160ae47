// Finds the partition of each row. Called once a row: it compares the row's fields with those of the row before, else
// looks them up by hash; it allocates nothing unless the partition is new, and only then text is made.

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
    private static let scratchBytesAtStart = 1_024

    private var prefixes: [String] = []
    private var identifierByPrefix: [String: Int] = [:]
    private var overflow: Int?

    private let bucket: TimeBucket
    private let usesSite: Bool
    private let usesHost: Bool
    private let usesProgram: Bool
    private let usesSeverity: Bool
    /// Behind a pointer: dynamic exclusivity checks of class properties would cost more than the work itself.
    private let hot: UnsafeMutablePointer<Hot>

    private struct Hot: ~Copyable {
        /// The span of time that `span.number` stands for; empty before the first row.
        var span = TimeBucket.Span(
            number: 0, start: Timestamp(microseconds: .max), end: Timestamp(microseconds: .max))
        var table = PartitionKeyTable()
        var scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: scratchBytesAtStart, alignment: 16)
        /// Bytes of `scratch` that hold the key of the row before.
        var used = 0
        /// The partition of the row before; -1 when there was none.
        var identifier = -1

        deinit { scratch.deallocate() }
    }

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
        hot = .allocate(capacity: 1)
        hot.initialize(to: Hot())
    }

    deinit {
        hot.deinitialize(count: 1)
        hot.deallocate()
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
        overflow = nil
        hot.pointee.table.removeAll()
        hot.pointee.identifier = -1
    }

    /// The partition of a row. Fields that the template does not use are not looked at; empty means absent.
    package func identifier(
        time: Timestamp, site: UnsafeRawBufferPointer, host: UnsafeRawBufferPointer, program: UnsafeRawBufferPointer,
        severity: Int?
    ) -> Int {
        let row = Row(
            severity: usesSeverity ? severity.map { Int64($0) } ?? -1 : 0, site: usesSite ? site : Row.absent,
            host: usesHost ? host : Row.absent, program: usesProgram ? program : Row.absent)
        if time < hot.pointee.span.start || time >= hot.pointee.span.end {
            hot.pointee.span = bucket.span(containing: time)
            hot.pointee.identifier = -1
        }
        if hot.pointee.identifier >= 0,
            row.hasKey(UnsafeRawBufferPointer(rebasing: hot.pointee.scratch[0..<hot.pointee.used]))
        {
            return hot.pointee.identifier
        }
        makeRoom(row.keyBytes)
        let used = row.writeKey(bucket: hot.pointee.span.number, to: hot.pointee.scratch)
        hot.pointee.used = used
        let key = UnsafeRawBufferPointer(rebasing: hot.pointee.scratch[0..<used])
        let hash = hot.pointee.table.hash(key)
        let found =
            hot.pointee.table.value(of: key, hash: hash)
            ?? add(
                key, hash,
                PartitionValues(
                    time: time, stream: stream, site: site, host: host, program: program, severity: severity))
        hot.pointee.identifier = found
        return found
    }

    private func makeRoom(_ bytes: Int) {
        guard bytes > hot.pointee.scratch.count else { return }
        hot.pointee.scratch.deallocate()
        hot.pointee.scratch = .allocate(byteCount: bytes * 2, alignment: 16)
    }

    /// Looks a new key up by its text: two keys may render alike (`{hour}` without `{date}`).
    private func add(_ key: UnsafeRawBufferPointer, _ hash: UInt64, _ values: PartitionValues) -> Int {
        let text = template.render(values)
        let found = identifierByPrefix[text] ?? register(text)
        if hot.pointee.table.count / Self.keysPerPartition < partitionsMax {
            hot.pointee.table.insert(key, hash: hash, value: found)
        }
        return found
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

    /// What of a row decides its partition within one span of time. Its key begins with the span's number, then the
    /// severity, then three lengths, so that neighbouring fields cannot run into each other, then the bytes.
    private struct Row {
        static var absent: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
        static let headBytes = 5 * 8

        var severity: Int64
        var site: UnsafeRawBufferPointer
        var host: UnsafeRawBufferPointer
        var program: UnsafeRawBufferPointer

        var keyBytes: Int { Self.headBytes + site.count + host.count + program.count }

        /// True when `key`, a key of the same span, is this row's.
        func hasKey(_ key: UnsafeRawBufferPointer) -> Bool {
            guard key.count == keyBytes, key.load(fromByteOffset: 8, as: Int64.self) == severity,
                key.load(fromByteOffset: 16, as: Int.self) == site.count,
                key.load(fromByteOffset: 24, as: Int.self) == host.count,
                key.load(fromByteOffset: 32, as: Int.self) == program.count
            else { return false }
            let hostStart = Self.headBytes + site.count
            let programStart = hostStart + host.count
            return equalBytes(UnsafeRawBufferPointer(rebasing: key[Self.headBytes..<hostStart]), site)
                && equalBytes(UnsafeRawBufferPointer(rebasing: key[hostStart..<programStart]), host)
                && equalBytes(UnsafeRawBufferPointer(rebasing: key[programStart...]), program)
        }

        /// Gives the key's length.
        func writeKey(bucket: Int64, to buffer: UnsafeMutableRawBufferPointer) -> Int {
            buffer.storeBytes(of: bucket, toByteOffset: 0, as: Int64.self)
            buffer.storeBytes(of: severity, toByteOffset: 8, as: Int64.self)
            buffer.storeBytes(of: site.count, toByteOffset: 16, as: Int.self)
            buffer.storeBytes(of: host.count, toByteOffset: 24, as: Int.self)
            buffer.storeBytes(of: program.count, toByteOffset: 32, as: Int.self)
            let hostStart = Self.headBytes + site.count
            let programStart = hostStart + host.count
            UnsafeMutableRawBufferPointer(rebasing: buffer[Self.headBytes..<hostStart]).copyMemory(from: site)
            UnsafeMutableRawBufferPointer(rebasing: buffer[hostStart..<programStart]).copyMemory(from: host)
            UnsafeMutableRawBufferPointer(rebasing: buffer[programStart..<keyBytes]).copyMemory(from: program)
            return keyBytes
        }
    }
}
