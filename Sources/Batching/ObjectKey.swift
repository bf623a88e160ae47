// Object keys. A key says where its batch begins, so that a repeated upload of the same batch meets its own object.

/// The S3 key of one object of a batch: `<prefix><stream>-<shard>-<first, padded>.ndjson.gz`, at most 1,024 bytes.
///
/// - Parameters:
///   - prefix: as `PrefixTemplate` or `PartitionIndex` rendered it; it cannot be too long or leave its literal part.
///   - stream: the stream's name, not its ARN.
///   - shard: as ListShards names it.
package func objectKey(prefix: String, stream: String, shard: String, first: SequenceNumber) -> String {
    let name = "\(PartitionValue.encode(text: stream))-\(PartitionValue.encode(text: shard))-\(first.padded)"
    let key = "\(prefix)\(name)\(objectKeySuffix)"
    precondition(key.utf8.count <= objectKeyBytesMax, "a rendered prefix was longer than PrefixTemplate allows")
    return key
}

package let objectKeySuffix = ".ndjson.gz"
/// Amazon S3 User Guide, "Naming Amazon S3 objects".
package let objectKeyBytesMax = 1_024
