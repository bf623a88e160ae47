// What `sluice ship --dry-run` prints. The JSON keys are part of the contract with scripts.

import CivilTime
import Diagnostics
import Jobs

struct EstimateSummary: Encodable {
    struct File: Encodable {
        var path: String
        var from: Int
        var size: Int
        var lines: Int
        var bytes: Int
    }

    struct Packing: Encodable {
        var aggregate: String
        var records: Int
        var bytes: Int
        var requests: Int
        /// Of the busiest minute, each second.
        var peakRecordsPerSecond: Double
        var peakBytesPerSecond: Double
        var shards: Int

        enum CodingKeys: String, CodingKey {
            case aggregate, records, bytes, requests, shards
            case peakRecordsPerSecond = "peak_records_per_second"
            case peakBytesPerSecond = "peak_bytes_per_second"
        }
    }

    var job: String
    var stream: String
    var firstEvent: String?
    var lastEvent: String?
    var files: [File]
    var packings: [Packing]

    enum CodingKeys: String, CodingKey {
        case job, stream, files, packings
        case firstEvent = "first_event"
        case lastEvent = "last_event"
    }

    init(_ estimate: ShipEstimate) {
        job = estimate.job
        stream = estimate.stream
        firstEvent = estimate.first.map(RFC3339.text)
        lastEvent = estimate.last.map(RFC3339.text)
        files = estimate.files.map {
            File(path: $0.path, from: $0.from, size: $0.size, lines: $0.lines, bytes: $0.bytesRead)
        }
        packings = estimate.packings.map { packing in
            Packing(
                aggregate: packing.aggregate.rawValue, records: packing.records, bytes: packing.bytes,
                requests: packing.requests, peakRecordsPerSecond: packing.peakRecords,
                peakBytesPerSecond: packing.peakBytes, shards: packing.shards)
        }
    }

    var text: String {
        var lines = ["\(job): dry run, nothing is sent to \(stream)"]
        for file in files {
            lines.append(
                "\(escapeControlCharacters(file.path)): \(grouped(file.lines)) lines, \(bytesText(file.bytes)) from "
                    + "offset \(grouped(file.from))")
        }
        if let firstEvent, let lastEvent { lines.append("events from \(firstEvent) to \(lastEvent)") }
        for packing in packings {
            lines.append(
                "aggregate: \(packing.aggregate): \(grouped(packing.records)) records (\(bytesText(packing.bytes))) in "
                    + "\(grouped(packing.requests)) requests; busiest minute "
                    + "\(fixed(packing.peakRecordsPerSecond, decimals: 1)) records/s, "
                    + "\(fixed(packing.peakBytesPerSecond / 1_000_000, decimals: 3)) MB/s: "
                    + "\(packing.shards) shard\(packing.shards == 1 ? "" : "s")")
        }
        return lines.joined(separator: "\n")
    }
}
