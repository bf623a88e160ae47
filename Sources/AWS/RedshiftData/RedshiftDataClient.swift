// The Redshift Data API, version 2019-12-20: SQL over HTTPS, without a driver and without a connection. JSON over POST,
// one file an operation. A statement is handed in, then asked after until it has ended; whether it ran is never told by
// the answer of the call that handed it in.

package import CivilTime
import Diagnostics
import HTTP

/// The operations that sluice needs.
package struct RedshiftDataClient: Sendable {
    package let client: AWSClient

    package init(client: AWSClient) { self.client = client }

    /// A whole call may take this long: the service answers at once, whatever the statement does.
    static let callTimeout = Duration.seconds(60)
    private static let contentType = "application/x-amz-json-1.1"

    /// - Parameter permission: written out by each operation, for the list in `Permission`.
    func call(_ permission: Permission, operation: String, subject: String, resource: String, body: [UInt8]) -> AWSCall
    {
        let action = permission.rawValue.split(separator: ":").last.map(String.init) ?? ""
        var call = AWSCall(
            operation: operation, subject: subject, permission: permission.rawValue,
            resource: "\(resource) in \(client.endpoint.region)")
        call.headers = [
            HTTPHeader("Content-Type", Self.contentType), HTTPHeader("X-Amz-Target", "RedshiftData.\(action)"),
        ]
        call.body = .bytes(body)
        call.payloadHash = SigV4.payloadHash(of: body)
        call.limits.totalTimeout = Self.callTimeout
        return call
    }

    /// Sends, and says what this service means by codes that others use for something else.
    func send<Answer>(
        _ call: AWSCall, decode: (inout HTTPResponse) throws(AnswerFault) -> Answer
    ) async throws(AWSError) -> Answer {
        do throws(AWSError) {
            return try await client.send(call, decode: decode)
        } catch {
            var error = error
            switch error.code {
            case "ValidationException":
                // Names of cluster, workgroup, database and user come from the job file; statements are checked before.
                error.exitCode = .jobFileInvalid
                error.hint = "check cluster or workgroup, database, user or secret_arn, and region under `redshift:`"
            case "ResourceNotFoundException":
                error.hint =
                    "check the name and the region under `redshift:`, and the account of the credentials: "
                    + call.resource
            case "ActiveStatementsExceededException", "ActiveSessionsExceededException":
                error.hint = "too many statements or sessions of the Data API are open on \(call.resource)"
            default: break
            }
            throw error
        }
    }

    static func document(_ response: HTTPResponse) throws(AnswerFault) -> JSONValue {
        do throws(JSONFault) {
            return try JSONValue(response.body)
        } catch {
            throw AnswerFault(error)
        }
    }

    /// Why the service would refuse statements, as far as it can be told without asking.
    static func refusal(of statements: [String], clientToken: String?) -> (code: String, message: String)? {
        typealias Limits = RedshiftDataLimits
        guard (1...Limits.statementsMax).contains(statements.count) else {
            return ("TooManyStatements", "\(statements.count) statements, not 1 to \(Limits.statementsMax)")
        }
        for (index, statement) in statements.enumerated()
        where !(1...Limits.statementBytesMax).contains(statement.utf8.count) {
            return (
                "StatementTooLarge",
                "statement \(index + 1) has \(statement.utf8.count) bytes, not 1 to \(Limits.statementBytesMax)"
            )
        }
        if let clientToken, !(1...Limits.clientTokenLengthMax).contains(clientToken.count) {
            return (
                "InvalidClientToken",
                "a token of \(clientToken.count) characters, not 1 to \(Limits.clientTokenLengthMax)"
            )
        }
        return nil
    }
}

/// What the service says when it takes statements.
package struct SubmittedStatement: Sendable, Equatable {
    package var id: String
    /// By the service's clock. Lies in the past when the token was known: then nothing new runs.
    package var createdAt: Timestamp

    package init(id: String, createdAt: Timestamp) {
        self.id = id
        self.createdAt = createdAt
    }

    init(_ response: HTTPResponse) throws(AnswerFault) {
        let document = try RedshiftDataClient.document(response)
        guard let id = document["Id"]?.string, !id.isEmpty, let created = document["CreatedAt"]?.microseconds else {
            throw AnswerFault("a statement was taken without Id or CreatedAt")
        }
        self.init(id: id, createdAt: Timestamp(microseconds: created))
    }
}
