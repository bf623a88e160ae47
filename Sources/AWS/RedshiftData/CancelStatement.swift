import HTTP

extension RedshiftDataClient {
    /// Asks for the end of a running statement. True means that the wish was taken, not that the statement has ended:
    /// it may just have finished.
    /// https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_CancelStatement.html
    package func cancelStatement(_ id: String, on target: RedshiftDataTarget) async throws(AWSError) -> Bool {
        let call = statementCall(.cancelStatement, operation: "cancel statement", id: id, on: target)
        return try await send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            try Self.document(response)["Status"]?.bool ?? false
        }
    }
}
