// Records that the stream will not take, however often it is asked: one JSON object a line in `dead-letter.ndjson` of
// the state directory. What must stay true: a record is on the disk before its bytes count as done.
import AWS
import CivilTime
import Diagnostics
import FoundationEssentials
import Glibc

struct DeadLetterFile {
    let directory: String
    /// The file grows no further: then the run stops instead.
    let bytesMax: Int
    let failpoints: Failpoints
    var path: String { "\(directory)/dead-letter.ndjson" }

    private struct Letter: Encodable {
        var time: String
        var stream: String
        var partition_key: String
        var code: String
        var message: String
        /// Base64.
        var data: String
    }

    /// Appends one record and fsyncs.
    func append(
        data: ArraySlice<UInt8>, partitionKey: String, stream: String, code: String, message: String, at time: Timestamp
    ) throws {
        let letter = Letter(
            time: RFC3339.text(time), stream: stream, partition_key: partitionKey, code: code, message: message,
            data: Data(data).base64EncodedString())
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Array(try encoder.encode(letter)) + [0x0A]
        try failpoints.hit(.shipDeadLetterBefore)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw ShipError("open dead-letter file", path, errno: errno) }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size + line.count <= bytesMax else {
            throw ShipError(
                "write dead-letter file", path, "it has \(size) bytes, and limits.dead_letter is \(bytesMax)",
                hint: "look at the records in it, move the file away, and find out why the stream refuses them",
                exitCode: .temporary)
        }
        try SmallFile.write(line, to: descriptor, path, operation: "write dead-letter file")
        if size == 0 { try SmallFile.syncDirectory(directory) }
        try failpoints.hit(.shipDeadLetterAfter)
    }
}
