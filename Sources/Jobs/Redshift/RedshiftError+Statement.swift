import AWS
import Diagnostics

extension RedshiftError {
    /// A statement that has ended and did not finish. The Data API has texts and no codes.
    init(_ ending: StatementDescription, during operation: String, of target: RedshiftDataTarget) {
        let cause = ending.error ?? "the statement is \(ending.status.rawValue)"
        let words = cause.lowercased()
        if words.contains("does not exist") {
            self.init(
                operation, target.text, cause,
                hint: "check database, schema and tables under `redshift:`; `sluice redshift ddl` prints the table",
                exitCode: .jobFileInvalid)
        } else if words.contains("permission denied") || words.contains("authentication") {
            self.init(
                operation, target.text, cause, hint: "grant the database user what it needs; README, \"Load Redshift\"",
                exitCode: .permission)
        } else {
            self.init(operation, target.text, cause, exitCode: .temporary)
        }
    }
}
