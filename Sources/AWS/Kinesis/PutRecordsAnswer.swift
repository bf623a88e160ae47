/// What became of the records of one PutRecords request.
package struct PutRecordsAnswer: Sendable, Equatable {
    /// A record that was not stored; the same record may be sent again.
    package struct Failure: Sendable, Equatable {
        /// Place in the request.
        package var index: Int
        /// ProvisionedThroughputExceededException or InternalFailure.
        package var code: String
        package var message: String
        /// The shard that the message names, as those about throughput do.
        package var shard: String?

        package init(index: Int, code: String, message: String) {
            self.index = index
            self.code = code
            self.message = message
            shard = Self.shard(in: message)
        }

        /// `Rate exceeded for shard shardId-000000000001 in stream my_stream under account 123456789012.`
        /// A throttled request has hundreds of these messages, so: bytes, not characters.
        private static func shard(in message: String) -> String? {
            let prefix = Array("shardId-".utf8)
            var text = message
            return text.withUTF8 { bytes in
                var start = 0
                while let first = bytes[start...].firstIndex(of: prefix[0]) {
                    let rest = bytes[first...]
                    let digits = rest.dropFirst(prefix.count).prefix { $0 &- UInt8(ascii: "0") < 10 }
                    if !digits.isEmpty, rest.starts(with: prefix) {
                        return String(decoding: bytes[first..<digits.endIndex], as: UTF8.self)
                    }
                    start = first + 1
                }
                return nil
            }
        }
    }

    package var storedCount: Int
    /// In the order of the request.
    package var failures: [Failure]
    package var storedByShard: [String: Int]

    package init(storedCount: Int = 0, failures: [Failure] = [], storedByShard: [String: Int] = [:]) {
        self.storedCount = storedCount
        self.failures = failures
        self.storedByShard = storedByShard
    }
}
