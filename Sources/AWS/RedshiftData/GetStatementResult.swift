import HTTP

/// A value of a result, by the type that the service gives it.
package enum StatementField: Sendable, Equatable {
    case null
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    /// A floating-point number or bytes: nothing that sluice asks for.
    case other

    package var text: String? { if case .text(let text) = self { text } else { nil } }
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
}

extension RedshiftDataClient {
    /// Reads the rows of a finished statement, page after page.
    /// - Parameter row: takes each row as it comes; what it throws ends the reading.
    /// https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResult.html
    package func getStatementResult(
        _ id: String, on target: RedshiftDataTarget, row: ([StatementField]) throws(AWSError) -> Void
    ) async throws(AWSError) {
        var token: String?
        for _ in 0..<RedshiftDataLimits.pagesMax {
            let (rows, next) = try await send(resultCall(id, target, token), decode: Self.page)
            for fields in rows { try row(fields) }
            guard let next else { return }
            token = next
        }
        throw resultCall(id, target, nil).error(
            "TooManyPages", "the result has more than \(RedshiftDataLimits.pagesMax) pages", category: .refused)
    }

    private func resultCall(_ id: String, _ target: RedshiftDataTarget, _ token: String?) -> AWSCall {
        var json = JSONText()
        json.object { json in
            json.member("Id", id)
            json.member("NextToken", token)
        }
        var call = call(
            .getStatementResult, operation: "read the result of statement", subject: "\(id) of \(target.text)",
            resource: target.text, body: json.bytes)
        call.limits.responseBytesMax = RedshiftDataLimits.pageBytesMax
        return call
    }

    private static func page(_ response: inout HTTPResponse) throws(AnswerFault) -> ([[StatementField]], String?) {
        let document = try document(response)
        guard let records = document["Records"]?.array else { throw AnswerFault("a result without Records") }
        var rows: [[StatementField]] = []
        rows.reserveCapacity(records.count)
        for record in records {
            guard let fields = record.array else { throw AnswerFault("a row of a result is no list") }
            rows.append(fields.map(field))
        }
        let next = document["NextToken"]?.string
        return (rows, next?.isEmpty == true ? nil : next)
    }

    private static func field(_ value: JSONValue) -> StatementField {
        if value["isNull"]?.bool == true { return .null }
        if let text = value["stringValue"]?.string { return .text(text) }
        if let number = value["longValue"]?.int { return .integer(number) }
        if let flag = value["booleanValue"]?.bool { return .boolean(flag) }
        return .other
    }
}
