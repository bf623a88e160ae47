// The JSON of a PutRecords request, written in one pass through a pointer into a buffer of the right size: base64 of
// every byte that is shipped goes through here.

/// A place to write to that only moves forward. What is written must fit: `PutRecordsBatch.body` reserves for it.
private struct BytePointerWriter {
    let base: UnsafeMutableRawPointer
    private(set) var count = 0

    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        (base + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    mutating func put(base64 bytes: UnsafeRawBufferPointer, pairs: UnsafePointer<UInt16>) {
        count += Base64.encode(bytes, to: base + count, pairs: pairs)
    }
}

extension PutRecordsBatch {
    /// More than the names and signs of one record take, without what stands between the quotes.
    private static let frameBytesMax = 64
    /// Most bytes that one byte of a key becomes (`\u0001`), and its quotes.
    private static let escapedByteMax = 6
    private static let quotesCount = 2

    /// The whole request for `stream`.
    func body(stream: StreamReference) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            stream.write(to: &json)
            json.array("Records") { _ in }
        }
        // The records go between the brackets.
        let head = json.bytes.dropLast(2)
        var capacity = head.count + 2
        for entry in entries {
            capacity += Base64.encodedCount(entry.dataCount) + entry.hashKeyCount + Self.frameBytesMax
            capacity += entry.hasPlainKey ? entry.keyCount : entry.keyCount * Self.escapedByteMax + Self.quotesCount
        }
        return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            var writer = BytePointerWriter(base)
            head.withUnsafeBytes { writer.put($0) }
            content.withUnsafeBytes { content in
                Base64.digitPairs.withUnsafeBufferPointer { pairs in
                    guard let pairs = pairs.baseAddress else { return }
                    for index in entries.indices { put(index, content, to: &writer, pairs) }
                }
            }
            writer.put("]}")
            count = writer.count
        }
    }

    @inline(__always)
    private func put(
        _ index: Int, _ content: UnsafeRawBufferPointer, to writer: inout BytePointerWriter,
        _ pairs: UnsafePointer<UInt16>
    ) {
        let entry = entries[index]
        writer.put(index == 0 ? "{\"Data\":\"" : ",{\"Data\":\"")
        writer.put(
            base64: UnsafeRawBufferPointer(rebasing: content[entry.start..<entry.keyStart]), pairs: pairs)
        writer.put("\",\"PartitionKey\":")
        if entry.hasPlainKey {
            writer.put("\"")
            writer.put(UnsafeRawBufferPointer(rebasing: content[entry.keyStart..<entry.hashKeyStart]))
            writer.put("\"")
        } else {
            JSONText.quoted(partitionKey(index)).withUnsafeBytes { writer.put($0) }
        }
        if entry.hashKeyCount > 0 {
            writer.put(",\"ExplicitHashKey\":\"")
            writer.put(UnsafeRawBufferPointer(rebasing: content[entry.hashKeyStart..<entry.end]))
            writer.put("\"")
        }
        writer.put("}")
    }
}
