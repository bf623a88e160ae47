// The one pass over a GetRecords answer: finds the parts of each record and decodes its base64 in place. Hot: no
// String, no tree, no copy, except for the few values that a page has once.

/// What the pass found.
struct PageScan {
    /// A larger answer is refused: offsets are 32 bits wide. Kinesis stays under 14 MB of base64 and some names.
    static let bytesMax = 1 << 30

    private(set) var records: [RecordIndex] = []
    private(set) var millisBehindLatest: Int64 = 0
    private(set) var nextIterator: String?
    private(set) var childShards: [ChildShard] = []

    private let bytes: UnsafeMutablePointer<UInt8>
    private let tables: UnsafePointer<UInt32>

    /// What a finished scan leaves behind.
    struct Result {
        var records: [RecordIndex]
        var millisBehindLatest: Int64
        var nextIterator: String?
        var childShards: [ChildShard]
    }

    /// Scans `page`, which is changed; after a throw it holds nothing of use.
    static func run(_ page: inout [UInt8]) throws(JSONFault) -> Result {
        guard page.count <= bytesMax else { throw JSONFault(offset: bytesMax, expected: "a page of at most 1 GiB") }
        var outcome: Swift.Result<Result, JSONFault> = .failure(JSONFault(offset: 0, expected: "an object"))
        page.withUnsafeMutableBufferPointer { buffer in
            Base64.decodeTables.withUnsafeBufferPointer { tables in
                guard let bytes = buffer.baseAddress, let digits = tables.baseAddress else { return }
                var scan = PageScan(bytes: bytes, tables: digits)
                do throws(JSONFault) {
                    try scan.page(count: buffer.count)
                    outcome = .success(
                        Result(
                            records: scan.records, millisBehindLatest: scan.millisBehindLatest,
                            nextIterator: scan.nextIterator, childShards: scan.childShards))
                } catch { outcome = .failure(error) }
            }
        }
        return try outcome.get()
    }

    private init(bytes: UnsafeMutablePointer<UInt8>, tables: UnsafePointer<UInt32>) {
        self.bytes = bytes
        self.tables = tables
    }

    private mutating func page(count: Int) throws(JSONFault) {
        var scanner = JSONScanner(UnsafeBufferPointer(start: bytes, count: count))
        var hasRecords = false
        var hasLag = false
        try scanner.object { (inner: inout JSONScanner, key) throws(JSONFault) in
            if inner.equals(key, "Records") {
                hasRecords = true
                records.removeAll(keepingCapacity: true)
                try inner.array { (inner: inout JSONScanner) throws(JSONFault) in try record(&inner) }
            } else if inner.equals(key, "NextShardIterator") {
                nextIterator = try inner.takeNull() ? nil : text(&inner)
            } else if inner.equals(key, "MillisBehindLatest") {
                hasLag = true
                guard let value = try inner.number().scaled(by: 0), value >= 0 else { throw inner.fault("a lag") }
                millisBehindLatest = value
            } else if inner.equals(key, "ChildShards") {
                try children(&inner)
            } else {
                try inner.skipValue()
            }
        }
        try scanner.finish()
        guard hasRecords, hasLag else { throw scanner.fault("Records and MillisBehindLatest") }
    }

    private mutating func record(_ scanner: inout JSONScanner) throws(JSONFault) {
        var record = RecordIndex()
        var found = 0
        try scanner.object { (inner: inout JSONScanner, key) throws(JSONFault) in
            if inner.equals(key, "Data") {
                (record.dataStart, record.dataCount) = try blob(&inner)
                found |= 1
            } else if inner.equals(key, "SequenceNumber") {
                (record.sequenceStart, record.sequenceCount) = try string(&inner)
                found |= 2
            } else if inner.equals(key, "PartitionKey") {
                (record.keyStart, record.keyCount) = try string(&inner)
                found |= 4
            } else if inner.equals(key, "ApproximateArrivalTimestamp") {
                guard let microseconds = try inner.number().scaled(by: 6) else { throw inner.fault("a time") }
                record.arrival = microseconds
                found |= 8
            } else {
                try inner.skipValue()
            }
        }
        guard found == 15, record.sequenceCount > 0 else {
            throw scanner.fault("Data, SequenceNumber, PartitionKey and ApproximateArrivalTimestamp of a record")
        }
        records.append(record)
    }

    /// A string whose escapes are undone in place.
    private func string(_ scanner: inout JSONScanner) throws(JSONFault) -> (UInt32, UInt32) {
        let range = try scanner.string()
        let count = range.hasEscapes ? JSONEscapes.undo(bytes + range.start, count: range.count) : range.count
        return (UInt32(range.start), UInt32(count))
    }

    /// A base64 string, decoded onto its own place. The digits themselves tell where it ends.
    private func blob(_ scanner: inout JSONScanner) throws(JSONFault) -> (UInt32, UInt32) {
        try scanner.take(UInt8(ascii: "\""), "a string")
        let start = scanner.position
        let (read, written) = Base64.decodeGroups(
            bytes + start, limit: scanner.end - start, to: bytes + start, tables: tables)
        let rest = start + read
        if rest < scanner.end, bytes[rest] == UInt8(ascii: "\"") {
            scanner.position = rest + 1
            return (UInt32(start), UInt32(written))
        }
        // A padded end, or an escaped `/`, which JSON allows: take the rest as an ordinary string.
        scanner.position = rest
        let tail = try scanner.restOfString()
        let count = tail.hasEscapes ? JSONEscapes.undo(bytes + tail.start, count: tail.count) : tail.count
        guard let more = decodeTail(rest, count: count, to: start + written) else { throw scanner.fault("base64") }
        return (UInt32(start), UInt32(written + more))
    }

    private func decodeTail(_ start: Int, count: Int, to target: Int) -> Int? {
        guard count.isMultiple(of: 4) else { return nil }
        let (read, written) = Base64.decodeGroups(bytes + start, limit: count, to: bytes + target, tables: tables)
        if read == count { return written }
        guard read + 4 == count else { return nil }
        return Base64.decodePadded(bytes + start + read, to: bytes + target + written, tables: tables)
            .map { written + $0 }
    }

    private func text(_ scanner: inout JSONScanner) throws(JSONFault) -> String {
        let range = try scanner.string()
        return scanner.text(range)
    }

    private mutating func children(_ scanner: inout JSONScanner) throws(JSONFault) {
        childShards = []
        if try scanner.takeNull() { return }
        try scanner.array { (inner: inout JSONScanner) throws(JSONFault) in
            var child = ChildShard(id: "", parents: [])
            try inner.object { (inner: inout JSONScanner, key) throws(JSONFault) in
                if inner.equals(key, "ShardId") {
                    child.id = try text(&inner)
                } else if inner.equals(key, "ParentShards") {
                    try inner.array { (inner: inout JSONScanner) throws(JSONFault) in
                        child.parents.append(try text(&inner))
                    }
                } else {
                    try inner.skipValue()
                }
            }
            guard !child.id.isEmpty else { throw inner.fault("the ShardId of a child") }
            childShards.append(child)
        }
    }
}
