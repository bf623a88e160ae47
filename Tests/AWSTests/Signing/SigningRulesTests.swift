import AWS
import CivilTime
import HTTP
import Testing

struct SigningRulesTests {
    @Test(arguments: [
        ("drupal/dt=2026-01-01/a b+c.gz", "drupal/dt%3D2026-01-01/a%20b%2Bc.gz"),
        ("-._~AZaz09/", "-._~AZaz09/"), ("ü", "%C3%BC"), ("%", "%25"), ("../a//b/./c", "../a//b/./c"), ("", ""),
    ])
    func keysAreEncodedOnceAndNeverNormalized(key: String, encoded: String) {
        #expect(PercentEncoding.encode(key, keepsSlash: true) == encoded)
        #expect(PercentEncoding.decode(encoded) == Array(key.utf8))
    }

    @Test(arguments: [("%zz", "%zz"), ("%4", "%4"), ("%", "%"), ("a%2", "a%2"), ("%41%", "A%")])
    func brokenPercentSequencesStay(text: String, decoded: String) {
        #expect(PercentEncoding.decode(text) == Array(decoded.utf8))
    }

    @Test func plusIsASpaceOnlyInListings() {
        #expect(PercentEncoding.decode("a+b%2B", plusIsSpace: true) == Array("a b+".utf8))
        #expect(PercentEncoding.decode("a+b", plusIsSpace: false) == Array("a+b".utf8))
    }

    @Test func s3SignsThePathAsSentAndOthersEncodeItAgain() {
        let path = "/b/dt%3D2026/../x//y"
        #expect(SigV4(region: "r", service: "s3").canonicalPath(path) == path)
        #expect(SigV4(region: "r", service: "kinesis").canonicalPath(path) == "/b/x/y")
        #expect(SigV4(region: "r", service: "kinesis").canonicalPath("/a%20b/") == "/a%2520b/")
    }

    @Test func queryIsSortedByEncodedNameThenValueAndEncodedOnce() {
        let signer = SigV4(region: "r", service: "s3")
        #expect(signer.canonicalQuery("b=2&a&b=1&a-=0") == "a=&a-=0&b=1&b=2")
        #expect(signer.canonicalQuery("prefix=dt%3D1%2F&x=a=b") == "prefix=dt%3D1%2F&x=a%3Db")
        #expect(signer.canonicalQuery("") == "")
    }

    @Test(arguments: [
        "Connection", "Expect", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "User-Agent", "X-Amzn-Trace-Id", "Authorization",
    ])
    func headersThatChangeOnTheWayAreNotSigned(name: String) {
        let headers = SigV4(region: "r", service: "s3").canonicalHeaders([
            HTTPHeader(name, "x"), HTTPHeader("Host", "h"), HTTPHeader("X-Amz-Meta-A", " a \t b\r\n  c "),
        ])
        #expect(headers.map(\.name) == ["host", "x-amz-meta-a"])
        #expect(headers.last?.value == "a b c")
    }

    @Test func s3SendsAndSignsThePayloadHashAndTheSessionToken() throws {
        let signer = SigV4(region: "us-east-1", service: "s3")
        let request = SigningRequest(
            method: "PUT", path: "/k", query: nil, headers: [HTTPHeader("Host", "h")], payloadHash: "ab")
        let keys = Credentials(
            accessKeyID: "AK", secretAccessKey: Secret("s"), sessionToken: Secret("tok"), source: "test")
        let added = signer.headers(signing: request, with: keys, at: Timestamp(seconds: 0))
        let names = added.map { $0.name.lowercased() }
        #expect(names == ["x-amz-security-token", "x-amz-date", "x-amz-content-sha256", "authorization"])
        #expect(added[1].value == "19700101T000000Z")
        let authorization = try #require(added.last?.value)
        #expect(
            authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"))
    }

    @Test(arguments: [
        (Int64(0), "19700101T000000Z"), (-1, "19691231T235959Z"), (951_782_400, "20000229T000000Z"),
        (1_795_385_468, "20261122T221108Z"), (4_107_542_399, "21000228T235959Z"), (4_107_542_400, "21000301T000000Z"),
    ])
    func signingTimeIsCivilUTC(seconds: Int64, text: String) {
        #expect(SigningTime(Timestamp(seconds: seconds)).text == text)
    }

    @Test func hexRoundTripsAndRefusesOddText() {
        #expect(hexText([0, 0xAB, 0xFF]) == "00abff")
        #expect(bytesOfHex("00ABff") == [0, 0xAB, 0xFF])
        #expect(bytesOfHex("0") == nil)
        #expect(bytesOfHex("zz") == nil)
    }
}
