// `sluice ship --once`, from the stored positions to the end of each file as it was when the run began:
// positions → whole lines → batch → PutRecords → failed entries again → positions.
// What must stay true: a position is saved only after the stream has stored everything before it, so a run that dies
// anywhere sends some records twice and loses none.
import AWS
package import Diagnostics

package struct ShipJob: Sendable {
    private let file: ShipJobFile
    private let dependencies: ShipDependencies
    private let runTime: Duration?

    /// - Parameter runTime: after this the run ends with what is stored, and exit 75 when more is waiting; nil for
    ///   no limit.
    package init(file: ShipJobFile, dependencies: ShipDependencies, runTime: Duration? = nil) {
        self.file = file
        self.dependencies = dependencies
        self.runTime = runTime
    }

    /// Ships everything once. Never throws: the report says what became of it.
    package func run() async -> ShipReport {
        let run = ShipRun(file: file, dependencies: dependencies, runTime: runTime)
        return await run.run()
    }

    /// What the job file asks for and this version does not do; nil when there is nothing.
    package static func unsupported(_ file: ShipJobFile) -> Diagnostic? {
        func refusal(_ key: String, _ value: String, _ hint: String) -> Diagnostic {
            Diagnostic(
                operation: "check", subject: file.path, cause: "\(key): \(value) is not available in this version",
                hint: hint)
        }
        if file.destination.aggregate != .none {
            return refusal("destination.aggregate", file.destination.aggregate.rawValue, "use `aggregate: none`")
        }
        if file.destination.partitionKey == .site {
            return refusal("destination.partition_key", "site", "use `partition_key: source` or `random`")
        }
        return nil
    }
}
