import CivilTime
import Foundation
import HTTP

extension FakeCloud.Content {
    mutating func kinesis(_ action: String, _ body: [UInt8]) -> HTTPResponse {
        if action == "GetRecords" { now = now.adding(pageTime) }
        let json = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
        let answer: [String: Any] =
            switch action {
            case "DescribeStreamSummary": summary
            case "ListShards": list(json["ShardFilter"] as? [String: Any])
            case "GetShardIterator": iterator(json)
            default: page(json["ShardIterator"] as? String ?? "", limit: json["Limit"] as? Int ?? pageRecords)
            }
        let bytes = (try? JSONSerialization.data(withJSONObject: answer)).map { [UInt8]($0) } ?? []
        return HTTPResponse(status: 200, body: bytes)
    }

    private func seconds(_ instant: Timestamp) -> Double { Double(instant.milliseconds) / 1_000 }

    private var summary: [String: Any] {
        [
            "StreamDescriptionSummary": [
                "StreamName": FakeCloud.stream, "StreamARN": "arn:aws:kinesis:us-east-1:1:stream/\(FakeCloud.stream)",
                "StreamStatus": "ACTIVE", "StreamCreationTimestamp": seconds(FakeCloud.creation),
                "RetentionPeriodHours": retentionHours, "OpenShardCount": shards.filter { $0.closed == nil }.count,
            ] as [String: Any]
        ]
    }

    private func list(_ filter: [String: Any]?) -> [String: Any] {
        let instant = (filter?["Timestamp"] as? Double).map { Timestamp(milliseconds: Int64(($0 * 1_000).rounded())) }
        let listed = shards.filter { shard in
            if let closed = shard.closed, closed < trimHorizon { return false }
            switch filter?["Type"] as? String {
            case "AT_LATEST": return shard.closed == nil
            case "AT_TIMESTAMP":
                guard let instant, shard.created <= instant else { return false }
                return shard.closed.map { $0 >= instant } ?? true
            case "FROM_TIMESTAMP": return shard.closed.map { $0 >= instant ?? now } ?? true
            default: return true
            }
        }
        return [
            "Shards": listed.map { shard -> [String: Any] in
                var range = ["StartingSequenceNumber": "1"]
                if shard.closed != nil { range["EndingSequenceNumber"] = "9" }
                var entry: [String: Any] = [
                    "ShardId": shard.id, "SequenceNumberRange": range,
                    "HashKeyRange": ["StartingHashKey": "0", "EndingHashKey": "1"],
                ]
                if let parent = shard.parents.first { entry["ParentShardId"] = parent }
                if shard.parents.count > 1 { entry["AdjacentParentShardId"] = shard.parents[1] }
                return entry
            }
        ]
    }

    /// Iterators are `shard:lowest sequence number to give`.
    private func iterator(_ json: [String: Any]) -> [String: Any] {
        let id = json["ShardId"] as? String ?? ""
        let records = shards.first { $0.id == id }?.records ?? []
        let given = Int(json["StartingSequenceNumber"] as? String ?? "") ?? 0
        let lowest: Int
        switch json["ShardIteratorType"] as? String {
        case "LATEST": lowest = (records.last?.sequence ?? 0) + 1
        case "AT_TIMESTAMP":
            let instant = Timestamp(milliseconds: Int64(((json["Timestamp"] as? Double ?? 0) * 1_000).rounded()))
            lowest = records.first { $0.arrival >= instant }?.sequence ?? (records.last?.sequence ?? 0) + 1
        case "AT_SEQUENCE_NUMBER": lowest = given
        case "AFTER_SEQUENCE_NUMBER": lowest = given + 1
        default: lowest = 0
        }
        return ["ShardIterator": "\(id):\(lowest)"]
    }

    private func page(_ iterator: String, limit: Int) -> [String: Any] {
        let parts = iterator.split(separator: ":")
        guard parts.count == 2, let lowest = Int(parts[1]), let shard = shards.first(where: { $0.id == parts[0] })
        else { return [:] }
        let rest = shard.records.filter { $0.sequence >= lowest && $0.arrival >= trimHorizon }
        let given = rest.prefix(min(limit, pageRecords))
        var answer: [String: Any] = [
            "MillisBehindLatest": rest.count > given.count
                ? max(1, now.milliseconds - rest[given.count].arrival.milliseconds) : 0,
            "Records": given.map { record -> [String: Any] in
                [
                    "SequenceNumber": String(record.sequence), "PartitionKey": "k",
                    "ApproximateArrivalTimestamp": seconds(record.arrival),
                    "Data": Data(record.text.utf8).base64EncodedString(),
                ]
            },
        ]
        if rest.count == given.count, shard.closed != nil {
            answer["ChildShards"] = shard.children.compactMap { child in shards.first { $0.id == child } }.map {
                ["ShardId": $0.id, "ParentShards": $0.parents] as [String: Any]
            }
        } else {
            answer["NextShardIterator"] = "\(shard.id):\(given.last.map { $0.sequence + 1 } ?? lowest)"
        }
        return answer
    }
}
