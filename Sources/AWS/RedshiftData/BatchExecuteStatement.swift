import HTTP

extension RedshiftDataClient {
    /// Hands in statements that run one after the other in one transaction: all of them take effect, or none does.
    /// - Parameter clientToken: a call with a token that the service knows runs nothing and gives the statement that it
    ///   stands for, also when that has failed. Tokens are known for some hours.
    /// https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html
    package func batchExecuteStatement(
        _ statements: [String], on target: RedshiftDataTarget, name: String? = nil, clientToken: String
    ) async throws(AWSError) -> SubmittedStatement {
        var json = JSONText(capacity: statements.reduce(512) { $0 + $1.utf8.count })
        json.object { json in
            target.write(to: &json)
            json.array("Sqls") { json in for statement in statements { json.element(statement) } }
            json.member("StatementName", name)
            json.member("ClientToken", clientToken)
        }
        var call = call(
            .batchExecuteStatement, operation: "run a transaction on", subject: target.text, resource: target.text,
            body: json.bytes)
        call.companions = target.companions
        if let refusal = Self.refusal(of: statements, clientToken: clientToken) {
            throw call.error(refusal.code, refusal.message, category: .refused)
        }
        return try await send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            try SubmittedStatement(response)
        }
    }
}
