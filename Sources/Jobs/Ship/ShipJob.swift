// `sluice ship`, from the stored positions to the stream:
// positions → whole lines → records → PutRecords → failed ones again → positions.
// `ShipRun` is the loop, `ShipReader` its reading and `ShipSender` its sending half.

package struct ShipJob: Sendable {
    private let file: ShipJobFile
    private let mode: ShipReport.Mode
    private let dependencies: ShipDependencies

    /// - Parameter mode: `once` ends at the end of each file as it is when the run begins; `follow` goes on until it is
    ///   asked to end.
    package init(file: ShipJobFile, mode: ShipReport.Mode, dependencies: ShipDependencies) {
        self.file = file
        self.mode = mode
        self.dependencies = dependencies
    }

    /// Ships. Never throws: the report says what became of it.
    package func run() async -> ShipReport {
        await ShipRun(file: file, mode: mode, dependencies: dependencies).run()
    }
}
