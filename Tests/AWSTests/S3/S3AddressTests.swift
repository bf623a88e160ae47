import AWS
import Testing

struct S3AddressTests {
    private func url(
        bucket: String, key: String? = "k", host: String = "s3.us-east-1.amazonaws.com", scheme: String = "https",
        isCustom: Bool = false, pathStyle: Bool? = nil, region: String = "us-east-1"
    ) -> String {
        let endpoint = ServiceEndpoint(
            scheme: scheme, host: host, region: "us-east-1", signingName: "s3", isCustom: isCustom)
        let address = S3Address(
            S3Destination(bucket: bucket, region: region, pathStyle: pathStyle), endpoint: endpoint, region: region)
        return address.host + address.path(key: key)
    }

    @Test func bucketIsPartOfTheHostWhereACertificateFits() {
        #expect(url(bucket: "acme-logs") == "acme-logs.s3.us-east-1.amazonaws.com/k")
        #expect(url(bucket: "acme-logs", key: nil) == "acme-logs.s3.us-east-1.amazonaws.com/")
        #expect(url(bucket: "acme.logs") == "s3.us-east-1.amazonaws.com/acme.logs/k")
        #expect(url(bucket: "acme.logs", scheme: "http") == "acme.logs.s3.us-east-1.amazonaws.com/k")
        #expect(url(bucket: "acme-logs", pathStyle: true) == "s3.us-east-1.amazonaws.com/acme-logs/k")
        #expect(url(bucket: "acme.logs", pathStyle: false) == "acme.logs.s3.us-east-1.amazonaws.com/k")
    }

    @Test(arguments: ["Acme", "ab", "a_b", "-ab", "ab-", "a..b", "192.168.0.1", "a/b", "ab@evil.example"])
    func namesThatFitNoHostStayInThePath(bucket: String) {
        #expect(url(bucket: bucket).hasPrefix("s3.us-east-1.amazonaws.com/"))
    }

    @Test(arguments: ["127.0.0.1", "::1", "localhost"]) func addressesTakeThePath(host: String) {
        #expect(url(bucket: "acme", key: nil, host: host, scheme: "http") == "\(host)/acme")
    }

    @Test func configuredEndpointsTakeThePathAndKeepTheirHost() {
        #expect(url(bucket: "acme", host: "minio.example", isCustom: true) == "minio.example/acme/k")
        #expect(
            url(bucket: "acme", host: "minio.example", isCustom: true, pathStyle: false, region: "eu-west-1")
                == "acme.minio.example/k")
    }

    @Test(arguments: [
        ("s3.us-east-1.amazonaws.com", "acme.s3.eu-west-1.amazonaws.com/k"),
        ("s3.dualstack.us-east-1.amazonaws.com", "acme.s3.dualstack.eu-west-1.amazonaws.com/k"),
        ("s3-fips.us-east-1.amazonaws.com", "acme.s3-fips.eu-west-1.amazonaws.com/k"),
        ("s3.amazonaws.com", "acme.s3.eu-west-1.amazonaws.com/k"),
    ])
    func anotherRegionHasItsOwnHost(host: String, moved: String) {
        #expect(url(bucket: "acme", host: host, region: "eu-west-1") == moved)
    }

    @Test(arguments: [
        ("drupal/dt=2026-11-22/hour=20/x.ndjson.gz", "/drupal/dt%3D2026-11-22/hour%3D20/x.ndjson.gz"),
        ("a//b/../c/./d", "/a//b/../c/./d"), ("/lead", "//lead"), ("a b+c%41&d?e#f", "/a%20b%2Bc%2541%26d%3Fe%23f"),
        ("ü/😀", "/%C3%BC/%F0%9F%98%80"), ("a\nb", "/a%0Ab"),
    ])
    func keysAreEncodedOnceAndNeverNormalized(key: String, path: String) {
        #expect(url(bucket: "acme", key: key) == "acme.s3.us-east-1.amazonaws.com\(path)")
    }
}
