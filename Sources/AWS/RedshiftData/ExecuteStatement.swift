import HTTP

extension RedshiftDataClient {
    /// Hands in one statement, which commits by itself.
    /// - Parameters:
    ///   - sql: goes to the database as it is.
    ///   - clientToken: makes a repeated call mean the first one. Without it a statement may run twice when an answer is
    ///     lost: leave it out only where that does no harm.
    /// https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
    package func executeStatement(
        _ sql: String, on target: RedshiftDataTarget, name: String? = nil, clientToken: String? = nil
    ) async throws(AWSError) -> SubmittedStatement {
        var json = JSONText(capacity: sql.utf8.count + 256)
        json.object { json in
            target.write(to: &json)
            json.member("Sql", sql)
            json.member("StatementName", name)
            json.member("ClientToken", clientToken)
        }
        var call = call(
            .executeStatement, operation: "run a statement on", subject: target.text, resource: target.text,
            body: json.bytes)
        call.companions = target.companions
        if let refusal = Self.refusal(of: [sql], clientToken: clientToken) {
            throw call.error(refusal.code, refusal.message, category: .refused)
        }
        return try await send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            try SubmittedStatement(response)
        }
    }
}
