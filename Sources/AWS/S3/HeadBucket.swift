import HTTP

extension S3Client {
    static let headBucketOperation = "head bucket"
    var headBucketCall: AWSCall { call(Self.headBucketOperation, permission: "s3:ListBucket", method: "HEAD") }

    /// Proves that the bucket is there and may be listed. Gives its region when S3 says it.
    @discardableResult
    package func headBucket() async throws(AWSError) -> String? {
        let call = headBucketCall
        do throws(AWSError) {
            return try await send(call, key: nil) { (response: inout HTTPResponse) throws(AnswerFault) in
                response.header("x-amz-bucket-region")
            }
        } catch {
            guard error.status == 404 else { throw error }
            // HEAD has no body: say what GET would.
            var missing = error
            missing.code = "NoSuchBucket"
            missing.hint = ErrorAdvice.hint(code: missing.code, category: .missing, call: call)
            throw missing
        }
    }
}
