// From `limits.memory` to the sizes of buffers and requests. Pure. What must stay true: the program as it starts, one
// read buffer, everything that is read and not stored, and the requests under way fit together.

struct MemoryBudget: Equatable {
    /// What the program takes before it reads a byte: code, libcurl, TLS, the Swift runtime.
    static let baseBytes = 38 << 20
    /// How much of a file is read at once, at least.
    static let readBytesMin = 256 << 10
    /// A request under way takes its records once as they are and once as JSON with base64 (4/3, and names and keys);
    /// the rest is what the allocator does not give back.
    static let bytesForEachByte = 5
    /// So many requests' worth of records may wait besides those under way.
    static let requestsReadAhead = 4

    let readBufferBytes: Int
    let limits: SendLimits

    /// - Parameters:
    ///   - recordBytesMax: data and key of one record.
    ///   - bufferBytesMin: what framing needs.
    init(memory: Int, recordBytesMax: Int, bufferBytesMin: Int, requestBytesMax: Int, inFlightMax: Int) {
        readBufferBytes = max(Self.readBytesMin, bufferBytesMin) + LogReader.guardBytesMax
        // Reading, sending and answers meet at the edges: a record at least fits twice.
        let window = max(2 * recordBytesMax, (memory - Self.baseBytes - readBufferBytes) / Self.bytesForEachByte)
        let share = max(recordBytesMax, window / (inFlightMax + 1))
        limits = SendLimits(
            requestBytesMax: min(requestBytesMax, share), windowBytesMax: window,
            windowRecordsMax: ShipBatch.recordsMax * (inFlightMax + Self.requestsReadAhead),
            requestsInFlightMax: inFlightMax)
    }

    /// The least `limits.memory` for records of this size.
    static func memoryMin(recordBytesMax: Int) -> Int {
        baseBytes + recordBytesMax + (1 << 20) + 2 * recordBytesMax * bytesForEachByte
    }
}
