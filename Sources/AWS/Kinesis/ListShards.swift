package import CivilTime
import HTTP

package struct Shard: Sendable, Equatable {
    package var id: String
    package var parentID: String?
    /// The second parent of a merge.
    package var adjacentParentID: String?
    package var startingSequence: String
    /// Nil while the shard is open.
    package var endingSequence: String?
    /// Decimal, 0 to 2^128 - 1.
    package var startingHashKey: String
    package var endingHashKey: String

    package init(
        id: String, parentID: String? = nil, adjacentParentID: String? = nil, startingSequence: String,
        endingSequence: String? = nil, startingHashKey: String, endingHashKey: String
    ) {
        self.id = id
        self.parentID = parentID
        self.adjacentParentID = adjacentParentID
        self.startingSequence = startingSequence
        self.endingSequence = endingSequence
        self.startingHashKey = startingHashKey
        self.endingHashKey = endingHashKey
    }
}

/// Which shards to list. Kinesis' own default, and that of `listShards`, is `fromTrimHorizon`.
package enum ShardFilter: Sendable, Equatable {
    /// Shards after this one in the order of ids.
    case afterShardID(String)
    case atTrimHorizon, fromTrimHorizon, atLatest
    /// Open at the instant.
    case atTimestamp(Timestamp)
    /// Open now, or closed at or after the instant.
    case fromTimestamp(Timestamp)
}

extension KinesisClient {
    /// Shards in one answer, and most answers of one listing: 100,000 shards, five times the largest default quota.
    static let shardsPerPage = 1_000
    package static let shardPagesMax = 100
    /// Times a listing is begun again because its token (300 s to live) ran out.
    package static let listingRestartsMax = 3

    /// All shards of a stream that still hold data, or those of `filter`.
    /// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html
    package func listShards(stream: String, filter: ShardFilter? = nil) async throws(AWSError) -> [Shard] {
        var restarts = 0
        while true {
            do throws(AWSError) {
                return try await listAllPages(StreamReference(stream), filter)
            } catch {
                guard error.code == "ExpiredNextTokenException", restarts < Self.listingRestartsMax else { throw error }
                restarts += 1
            }
        }
    }

    private func listAllPages(_ stream: StreamReference, _ filter: ShardFilter?) async throws(AWSError) -> [Shard] {
        var shards: [Shard] = []
        var token: String?
        for _ in 0..<Self.shardPagesMax {
            let call = listCall(stream, filter, token)
            let (page, next) = try await client.send(call, decode: Self.shardPage)
            shards += page
            guard let next else { return shards }
            token = next
        }
        throw listCall(stream, filter, nil).error(
            "TooManyShards", "more than \(Self.shardPagesMax) pages of shards", category: .refused)
    }

    /// A token stands for stream and filter: Kinesis refuses a request that has both.
    private func listCall(_ stream: StreamReference, _ filter: ShardFilter?, _ token: String?) -> AWSCall {
        var json = JSONText()
        json.object { json in
            json.member("MaxResults", number: String(Self.shardsPerPage))
            if let token {
                json.member("NextToken", token)
            } else {
                stream.write(to: &json)
                if let filter { json.object("ShardFilter") { Self.write(filter, to: &$0) } }
            }
        }
        return call(
            "ListShards", operation: "list shards of", subject: stream.name, stream: stream, body: json.bytes)
    }

    private static func write(_ filter: ShardFilter, to json: inout JSONText) {
        switch filter {
        case .afterShardID(let id):
            json.member("Type", "AFTER_SHARD_ID")
            json.member("ShardId", id)
        case .atTrimHorizon: json.member("Type", "AT_TRIM_HORIZON")
        case .fromTrimHorizon: json.member("Type", "FROM_TRIM_HORIZON")
        case .atLatest: json.member("Type", "AT_LATEST")
        case .atTimestamp(let instant):
            json.member("Type", "AT_TIMESTAMP")
            json.member("Timestamp", number: seconds(instant))
        case .fromTimestamp(let instant):
            json.member("Type", "FROM_TIMESTAMP")
            json.member("Timestamp", number: seconds(instant))
        }
    }

    private static func shardPage(_ response: inout HTTPResponse) throws(AnswerFault) -> ([Shard], String?) {
        let document = try document(response)
        guard let elements = document["Shards"]?.array else { throw AnswerFault("a page without Shards") }
        var shards: [Shard] = []
        for element in elements {
            guard let id = element["ShardId"]?.string, let range = element["SequenceNumberRange"],
                let starting = range["StartingSequenceNumber"]?.string, let hashKeys = element["HashKeyRange"],
                let firstKey = hashKeys["StartingHashKey"]?.string, let lastKey = hashKeys["EndingHashKey"]?.string
            else { throw AnswerFault("a shard lacks a member") }
            shards.append(
                Shard(
                    id: id, parentID: element["ParentShardId"]?.string,
                    adjacentParentID: element["AdjacentParentShardId"]?.string, startingSequence: starting,
                    endingSequence: range["EndingSequenceNumber"]?.string, startingHashKey: firstKey,
                    endingHashKey: lastKey))
        }
        return (shards, document["NextToken"]?.string)
    }
}
