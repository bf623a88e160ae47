// What `state rebuild` did. The JSON keys are part of the contract with scripts.

import Jobs

struct RebuildSummary: Encodable {
    struct Shard: Encodable {
        var shard: String
        var position: String
    }

    var job: String
    var manifests: Int
    var generation: Int64
    /// Where the old state lies now; left out when there was none.
    var replaced: String?
    var shards: [Shard]

    init(_ report: RebuildReport) {
        job = report.job
        manifests = report.manifestCount
        generation = report.generation
        replaced = report.replaced
        shards = report.shards.map { Shard(shard: $0.id, position: $0.position) }
    }

    /// For people.
    var text: String {
        var lines = ["\(job): state made anew from \(grouped(manifests)) manifests (generation \(generation))"]
        lines += shards.map { "\($0.shard)  \($0.position)" }
        if let replaced { lines.append("the old state is kept as \(replaced)") }
        return lines.joined(separator: "\n")
    }
}
