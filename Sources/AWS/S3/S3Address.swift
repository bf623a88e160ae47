/// Host and path of a bucket and its keys.
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
package struct S3Address: Sendable, Equatable {
    package var host: String
    private var bucketPath: String

    package init(_ destination: S3Destination, endpoint: ServiceEndpoint, region: String) {
        let base = Self.host(endpoint, region: region)
        if destination.pathStyle ?? Self.needsPathStyle(destination.bucket, endpoint) {
            host = base
            bucketPath = "/" + PercentEncoding.encode(destination.bucket)
        } else {
            host = "\(destination.bucket).\(base)"
            bucketPath = ""
        }
    }

    /// The path of a key, encoded once; of the bucket when nil. Dots and double slashes in a key stay as they are.
    package func path(key: String?) -> String {
        guard let key else { return bucketPath.isEmpty ? "/" : bucketPath }
        return bucketPath + "/" + PercentEncoding.encode(key, keepsSlash: true)
    }

    /// The regional host that answers for `region`. Where the endpoint was configured, it answers for all of them.
    private static func host(_ endpoint: ServiceEndpoint, region: String) -> String {
        guard !endpoint.isCustom, region != endpoint.region else { return endpoint.host }
        let labels = endpoint.host.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let index = labels.firstIndex(of: endpoint.region) else {
            // The global host, `s3.amazonaws.com`.
            return ([labels[0], region] + labels.dropFirst()).joined(separator: ".")
        }
        var moved = labels
        moved[index] = region
        return moved.joined(separator: ".")
    }

    /// A name with dots fits no wildcard certificate; configured endpoints seldom have a host for every bucket.
    private static func needsPathStyle(_ bucket: String, _ endpoint: ServiceEndpoint) -> Bool {
        if endpoint.isCustom || isAddress(endpoint.host) || endpoint.host == "localhost" { return true }
        if !isDNSName(bucket) { return true }
        return endpoint.scheme == "https" && bucket.contains(".")
    }

    private static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }

    /// 3 to 63 of `a-z 0-9 . -`, a letter or digit first, last and beside each dot.
    private static func isDNSName(_ bucket: String) -> Bool {
        guard (3...63).contains(bucket.utf8.count), !isAddress(bucket) else { return false }
        return bucket.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            return isLetterOrDigit(first) && isLetterOrDigit(last)
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
