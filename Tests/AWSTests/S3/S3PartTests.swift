import AWS
import HTTP
import Testing

struct S3PartTests {
    private func part(
        _ response: HTTPResponse, offset: Int = 0, count: Int = 5, etag: String? = nil
    ) async throws(AWSError) -> (ObjectPart?, HTTPRequest) {
        let bench = Bench([.answer(response)], service: "s3", retry: RetrySettings(attemptsMax: 1))
        let part = try await bench.s3().getObjectPart(key: "k", offset: offset, count: count, etag: etag)
        return (part, bench.server.requests[0])
    }

    private func partial(_ range: String, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: 206, headers: [HTTPHeader("Content-Range", range), HTTPHeader("ETag", "\"e\"")],
            body: Array(text.utf8))
    }

    @Test func partIsAskedForByRangeOfOneObject() async throws {
        let (found, request) = try await part(partial("bytes 5-9/12", "fghij"), offset: 5, etag: "\"e\"")
        #expect(found == ObjectPart(bytes: Array("fghij".utf8), length: 12, etag: "\"e\""))
        #expect(request.header("range") == "bytes=5-9" && request.header("if-match") == "\"e\"")
        #expect(request.header("authorization")?.contains("range") == true)
        let (last, _) = try await part(partial("bytes 10-11/12", "kl"), offset: 10)
        #expect(last?.bytes.count == 2 && last?.length == 12)
    }

    @Test func storeWithoutRangesGivesASmallObjectWhole() async throws {
        let (found, _) = try await part(HTTPResponse(status: 200, body: Array("abc".utf8)))
        #expect(found?.length == 3)
        await #expect(throws: AWSError.self) {
            try await part(HTTPResponse(status: 200, body: Array("abc".utf8)), offset: 5)
        }
    }

    @Test(arguments: ["bytes 4-8/12", "bytes 5-8/12", "bytes 5-9/*", "5-9/12", ""])
    func anotherPartThanAskedForIsAFaultyAnswer(range: String) async throws {
        let error = await #expect(throws: AWSError.self) { try await part(partial(range, "fghij"), offset: 5) }
        #expect(error?.category == .malformed)
    }

    @Test func missingObjectAndChangedObjectAreToldApart() async throws {
        let missing = HTTPResponse(status: 404, body: Array("<Error><Code>NoSuchKey</Code></Error>".utf8))
        #expect(try await part(missing).0 == nil)
        let changed = HTTPResponse(status: 412, body: Array("<Error><Code>PreconditionFailed</Code></Error>".utf8))
        let error = await #expect(throws: AWSError.self) { try await part(changed, etag: "\"e\"") }
        #expect(error?.category == .precondition)
    }
}
