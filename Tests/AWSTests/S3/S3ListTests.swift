import AWS
import HTTP
import Testing

struct S3ListTests {
    private func listing(_ keys: [String], next: String? = nil, encoding: String? = "url") -> ScriptedServer.Step {
        let contents = keys.map { "<Contents><Key>\($0)</Key><Size>3</Size><ETag>&quot;e&quot;</ETag></Contents>" }
        return .json(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                + (encoding.map { "<EncodingType>\($0)</EncodingType>" } ?? "")
                + "<IsTruncated>\(next != nil)</IsTruncated>\(contents.joined())"
                + (next.map { "<NextContinuationToken>\($0)</NextContinuationToken>" } ?? "")
                + "<CommonPrefixes><Prefix>x</Prefix></CommonPrefixes></ListBucketResult>")
    }

    @Test func pagesAreFollowedAndKeysDecoded() async throws {
        let bench = Bench([listing(["a%3D1", "a+b%2Bc"], next: "t/1="), listing(["%0A%00%C3%BC"])], service: "s3")
        let objects = try await bench.s3().listObjects(prefix: "dt=1/ü", startAfter: "dt=1/a b")
        #expect(objects.map(\.key) == ["a=1", "a b+c", "\n\u{0}ü"])
        #expect(objects[0] == ListedObject(key: "a=1", size: 3, etag: "\"e\""))
        #expect(
            bench.server.requests.map { $0.target.query } == [
                "encoding-type=url&list-type=2&max-keys=1000&prefix=dt%3D1%2F%C3%BC&start-after=dt%3D1%2Fa%20b",
                "encoding-type=url&list-type=2&max-keys=1000&prefix=dt%3D1%2F%C3%BC&continuation-token=t%2F1%3D",
            ])
        #expect(bench.server.requests[0].target.path == "/")
    }

    @Test func keysOfAStoreThatDoesNotEncodeStay() async throws {
        let bench = Bench([listing(["a+b%3D&amp;"], encoding: nil)], service: "s3")
        #expect(try await bench.s3().listObjects(prefix: "").map(\.key) == ["a+b%3D&"])
    }

    @Test func limitEndsTheListing() async throws {
        let bench = Bench([listing(["a", "b"], next: "t"), listing(["c", "d"], next: "u")], service: "s3")
        #expect(try await bench.s3().listObjects(prefix: "", limit: 3).map(\.key) == ["a", "b", "c"])
        #expect(bench.server.requests[0].target.query?.contains("max-keys=3&") == true)
    }

    @Test(arguments: [
        "", "<html/>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>false</IsTruncated>",
    ])
    func listingThatIsCutIsNotBelieved(text: String) async {
        let bench = Bench([.json(text)], service: "s3", retry: RetrySettings(attemptsMax: 1))
        let error = await failure { () async throws(AWSError) in try await bench.s3().listObjects(prefix: "") }
        #expect(error?.category == .malformed)
    }

    @Test func errorDocumentInA200IsAnError() async {
        let bench = Bench([.s3Error("AccessDenied", status: 200)], service: "s3")
        let error = await failure { () async throws(AWSError) in try await bench.s3().listObjects(prefix: "p/") }
        #expect(error?.code == "AccessDenied")
        #expect(error?.subject == "s3://acme-logs/p/")
        #expect(error?.hint?.contains("s3:ListBucket on arn:aws:s3:::acme-logs ") == true)
    }
}
