// The Redshift part of `sluice check --live`: looks at the table, and tries a transaction that does nothing.

import AWS
import Diagnostics
import Redshift

struct RedshiftCheck {
    /// A serverless workgroup that sleeps takes some seconds to wake.
    static let waitMax = Duration.seconds(60)
    private static let wait = Duration.milliseconds(500)

    let client: RedshiftDataClient
    let settings: RedshiftSettings

    private var target: RedshiftDataTarget { settings.dataTarget }

    func run(_ log: inout ProbeLog) async {
        let place = settings.placeARN
        let statement = await log.attempt(.executeStatement, on: place, of: .redshift) { () async throws(AWSError) in
            try await client.executeStatement(question, on: target, name: "sluice check")
        }
        if statement != nil {
            for resource in settings.login.resources { log.isAllowed(settings.login.permission, on: resource) }
        }
        await readAnswer(of: statement, &log)
        let token = log.probeName
        _ = await log.attempt(.batchExecuteStatement, on: place, of: .redshift) { () async throws(AWSError) in
            try await client.batchExecuteStatement(["SELECT 1"], on: target, name: "sluice check", clientToken: token)
        }
        log.note(
            "what Redshift may do with \(settings.roleARN) shows when it loads: `sluice policy --for redshift-role` "
                + "prints what the role needs")
    }

    private func readAnswer(of statement: SubmittedStatement?, _ log: inout ProbeLog) async {
        guard let statement else {
            for permission in [Permission.describeStatement, .getStatementResult] {
                log.skip(permission, on: "*", because: "it takes a statement")
            }
            return
        }
        let ending = await log.attempt(
            .describeStatement, on: "*", of: .redshift, note: { $0.status.hasEnded ? nil : "it still runs" }
        ) { () async throws(AWSError) in
            try await end(of: statement)
        }
        guard let ending, ending.status == .finished else {
            log.skip(.getStatementResult, on: "*", because: "it takes a statement that has finished")
            if let ending, ending.status.hasEnded {
                log.problem(RedshiftError(ending, during: "look at the table in", of: target))
            }
            return
        }
        let columns = await log.attempt(.getStatementResult, on: "*", of: .redshift) { () async throws(AWSError) in
            var rows: [[StatementField]] = []
            try await client.getStatementResult(statement.id, on: target) { row throws(AWSError) in rows.append(row) }
            return rows
        }
        if let columns, let problem = TableLook(columns).problem(settings) { log.problem(problem) }
    }

    private func end(of statement: SubmittedStatement) async throws(AWSError) -> StatementDescription {
        var found = try await client.describeStatement(statement.id, on: target)
        for _ in 0..<Int(Self.waitMax / Self.wait) where !found.status.hasEnded && !Task.isCancelled {
            try? await Task.sleep(for: Self.wait)
            found = try await client.describeStatement(statement.id, on: target)
        }
        return found
    }

    /// The columns of the table, and whether rows may be put into it. The view shows a table only to those who may do
    /// something with it.
    private var question: String {
        let (schema, table) = (SQLText.string(settings.schema), SQLText.string(settings.table))
        return "SELECT column_name, has_table_privilege(\(SQLText.string(settings.name.sql)), 'insert') "
            + "FROM information_schema.columns WHERE table_schema = \(schema) AND table_name = \(table)"
    }
}

/// What the question brought: a row a column.
private struct TableLook {
    var columns: Set<String>
    var mayInsert: Bool

    init(_ rows: [[StatementField]]) {
        columns = Set(rows.compactMap { $0.first?.text })
        mayInsert = rows.allSatisfy { $0.last == .boolean(true) }
    }

    func problem(_ settings: RedshiftSettings) -> RedshiftError? {
        let missing = RowSchema.standard.columns.map(\.name).filter { !columns.contains($0) }
        let subject = "\(settings.name.sql) of \(settings.dataTarget.text)"
        if columns.isEmpty {
            return RedshiftError(
                "look at", subject, "there is no such table, or the database user may do nothing with it",
                hint: "`sluice redshift ddl JOB` prints it; GRANT INSERT, SELECT ON it to the user",
                exitCode: .jobFileInvalid)
        }
        if !missing.isEmpty {
            return RedshiftError(
                "look at", subject, "columns are missing: \(missing.joined(separator: ", "))",
                hint: "`sluice redshift migrate` prints how to add them", exitCode: .jobFileInvalid)
        }
        guard mayInsert else {
            return RedshiftError(
                "look at", subject, "the database user may not put rows into it",
                hint: "GRANT INSERT, SELECT ON \(settings.name.sql) TO the user", exitCode: .permission)
        }
        return nil
    }
}
