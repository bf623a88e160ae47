// The JSON of a PutRecords request, written through a pointer into room that was made for it: base64 of every byte that
// is shipped goes through here.

/// A place to write to that only moves forward. What is written must fit: `PutRecordsBatch.write` makes room for it.
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
    /// What ends the document.
    static let tail: StaticString = "]}"

    /// A request for `stream` with no record in it.
    static func emptyDocument(_ stream: String) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            StreamReference(stream).write(to: &json)
            json.array("Records") { _ in }
        }
        return json.bytes
    }

    /// The whole request for `stream`.
    func body(stream: String) -> [UInt8] {
        guard stream != self.stream else { return json }
        return Self.emptyDocument(stream).dropLast(Self.tail.utf8CodeUnitCount) + json[headCount...]
    }

    /// Appends the object that `entry` describes; `key` is as it stands in JSON.
    @inline(__always)
    mutating func write(
        _ entry: Entry, _ data: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, hashKey: UnsafeRawBufferPointer
    ) {
        let isFirst = isEmpty
        replaceTail(countMax: entry.objectRange.count + Self.frameCountMax) { place in
            var writer = BytePointerWriter(place)
            if !isFirst { writer.put(",") }
            writer.put(Entry.dataName)
            Base64.digitPairs.withUnsafeBufferPointer { pairs in
                if let pairs = pairs.baseAddress { writer.put(base64: data, pairs: pairs) }
            }
            writer.put(Entry.keyName)
            writer.put(key)
            if hashKey.count > 0 {
                writer.put(Entry.hashKeyName)
                writer.put(hashKey)
            }
            writer.put(Entry.end)
            writer.put(Self.tail)
            return writer.count
        }
    }

    /// Appends objects as they stand.
    mutating func write(objects: UnsafeRawBufferPointer) {
        let isFirst = isEmpty
        replaceTail(countMax: objects.count + Self.frameCountMax) { place in
            var writer = BytePointerWriter(place)
            if !isFirst { writer.put(",") }
            writer.put(objects)
            writer.put(Self.tail)
            return writer.count
        }
    }

    /// The comma before an object and the tail behind it.
    private static var frameCountMax: Int { 1 + tail.utf8CodeUnitCount }
}

extension PutRecordsBatch.Entry {
    fileprivate static let dataName: StaticString = "{\"Data\":\""
    fileprivate static let keyName: StaticString = "\",\"PartitionKey\":\""
    fileprivate static let hashKeyName: StaticString = "\",\"ExplicitHashKey\":\""
    fileprivate static let end: StaticString = "\"}"

    var digitsRange: Range<Int> {
        let first = start + Self.dataName.utf8CodeUnitCount
        return first..<first + Base64.encodedCount(dataCount)
    }

    var keyRange: Range<Int> {
        let first = digitsRange.upperBound + Self.keyName.utf8CodeUnitCount
        return first..<first + writtenKeyCount
    }

    /// Empty when there is none.
    var hashKeyRange: Range<Int> {
        let end = keyRange.upperBound
        guard hashKeyCount > 0 else { return end..<end }
        let first = end + Self.hashKeyName.utf8CodeUnitCount
        return first..<first + hashKeyCount
    }

    /// From brace to brace.
    var objectRange: Range<Int> { start..<hashKeyRange.upperBound + Self.end.utf8CodeUnitCount }
}
