// What the table holds, counted by the database.

import AWS
import CivilTime
import Diagnostics
import Redshift

extension LoadDatabase {
    /// The one number that a statement gives.
    func count(_ sql: String, name: String) async throws -> Int {
        guard let number = try await query(sql, name: name).rows.first?.first?.integer else {
            throw oddAnswer(name)
        }
        return Int(number)
    }

    /// What the table holds of the batches of a census, by the key of their manifests.
    func groups(_ census: TableCensus) async throws -> [String: [TableGroup]] {
        let name = "sluice count rows"
        let rows = try await query(census.statement, name: name).rows
        guard rows.count <= TableCensus.groupsMax else {
            throw RedshiftError(
                name, "\(census.table.sql) of \(target.text)",
                "the rows of \(census.batches.count) batches lie in more than \(TableCensus.groupsMax) partitions",
                hint:
                    "the table holds rows that no archive of this job has; look at its columns host, site and program",
                exitCode: .temporary)
        }
        return try Dictionary(
            grouping: rows.map { row in
                guard let group = group(row, columns: census.columns), census.batches.indices.contains(group.batch)
                else {
                    throw oddAnswer(name)
                }
                return group
            }, by: { census.batches[$0.batch].manifest })
    }

    private func group(_ row: [StatementField], columns: [TableCensus.Column]) -> TableGroup? {
        guard row.count == columns.count + 3, let batch = row[0].integer, let rows = row[row.count - 2].integer,
            let distinct = row[row.count - 1].integer
        else { return nil }
        var group = TableGroup(batch: Int(batch), rows: Int(rows), distinct: Int(distinct))
        for (column, field) in zip(columns, row.dropFirst()) {
            switch column {
            case .time: group.time = field.integer.map { Timestamp(seconds: $0) }
            case .site: group.site = field.text.map { String($0.dropLast()) }
            case .host: group.host = field.text.map { String($0.dropLast()) }
            case .program: group.program = field.text.map { String($0.dropLast()) }
            case .severity: group.severity = field.integer.map { Int($0) }
            }
        }
        return group
    }

    private func oddAnswer(_ name: String) -> RedshiftError {
        RedshiftError(
            name, target.text, "the answer is not what was asked for",
            hint: "this is a fault of sluice or of the service: report it", exitCode: .internalFault)
    }
}
