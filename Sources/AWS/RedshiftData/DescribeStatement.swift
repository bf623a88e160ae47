package import CivilTime
import HTTP

/// How far a statement, or one of a batch, has come.
package enum StatementStatus: String, Sendable, Equatable, CaseIterable {
    case submitted = "SUBMITTED"
    case picked = "PICKED"
    case started = "STARTED"
    case finished = "FINISHED"
    case failed = "FAILED"
    case aborted = "ABORTED"

    /// Nothing changes any more.
    package var hasEnded: Bool {
        switch self {
        case .finished, .failed, .aborted: true
        case .submitted, .picked, .started: false
        }
    }
}

package struct StatementDescription: Sendable, Equatable {
    package struct Part: Sendable, Equatable {
        package var id: String
        package var status: StatementStatus
        /// The database's words.
        package var error: String?
        package var queryID: Int64?
        /// Rows returned or affected; nil when the service does not say.
        package var rows: Int64?

        package init(
            id: String, status: StatementStatus, error: String? = nil, queryID: Int64? = nil, rows: Int64? = nil
        ) {
            self.id = id
            self.status = status
            self.error = error
            self.queryID = queryID
            self.rows = rows
        }
    }

    package var id: String
    package var status: StatementStatus
    /// The database's words.
    package var error: String?
    package var createdAt: Timestamp?
    /// Process id of the session in the database.
    package var sessionID: Int64?
    package var queryID: Int64?
    package var hasResult: Bool
    /// The statements of a batch, in order; empty for a single one.
    package var parts: [Part]

    package init(
        id: String, status: StatementStatus, error: String? = nil, createdAt: Timestamp? = nil,
        sessionID: Int64? = nil, queryID: Int64? = nil, hasResult: Bool = false, parts: [Part] = []
    ) {
        self.id = id
        self.status = status
        self.error = error
        self.createdAt = createdAt
        self.sessionID = sessionID
        self.queryID = queryID
        self.hasResult = hasResult
        self.parts = parts
    }
}

extension RedshiftDataClient {
    /// What has become of a statement. The service remembers it for a day.
    /// https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
    package func describeStatement(_ id: String, on target: RedshiftDataTarget) async throws(AWSError)
        -> StatementDescription
    {
        let call = statementCall(.describeStatement, operation: "ask after statement", id: id, on: target)
        return try await send(call) { (response: inout HTTPResponse) throws(AnswerFault) in
            let document = try Self.document(response)
            guard let id = document["Id"]?.string else { throw AnswerFault("a statement without Id") }
            return StatementDescription(
                id: id, status: try Self.status(document), error: Self.text(document["Error"]),
                createdAt: document["CreatedAt"]?.microseconds.map { Timestamp(microseconds: $0) },
                sessionID: Self.count(document["RedshiftPid"]), queryID: Self.count(document["RedshiftQueryId"]),
                hasResult: document["HasResultSet"]?.bool ?? false,
                parts: try (document["SubStatements"]?.array ?? []).map(Self.part))
        }
    }

    private static func part(_ value: JSONValue) throws(AnswerFault) -> StatementDescription.Part {
        guard let id = value["Id"]?.string else { throw AnswerFault("a statement of a batch without Id") }
        return StatementDescription.Part(
            id: id, status: try status(value), error: text(value["Error"]), queryID: count(value["RedshiftQueryId"]),
            rows: count(value["ResultRows"], least: 0))
    }

    private static func status(_ value: JSONValue) throws(AnswerFault) -> StatementStatus {
        guard let status = value["Status"]?.string.flatMap(StatementStatus.init(rawValue:)) else {
            throw AnswerFault("a statement with a status that is none")
        }
        return status
    }

    /// Nil for an empty text.
    private static func text(_ value: JSONValue?) -> String? {
        value?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The service writes 0 or -1 for "none".
    private static func count(_ value: JSONValue?, least: Int64 = 1) -> Int64? {
        value?.int.flatMap { $0 >= least ? $0 : nil }
    }

    /// A call whose whole content is the id of a statement.
    func statementCall(_ permission: Permission, operation: String, id: String, on target: RedshiftDataTarget)
        -> AWSCall
    {
        var json = JSONText()
        json.object { $0.member("Id", id) }
        return call(
            permission, operation: operation, subject: "\(id) of \(target.text)", resource: target.text,
            body: json.bytes)
    }
}
