// `sluice redshift copy`: from the manifests of a range to a COPY manifest in S3 and the statement that loads it. The
// database is not asked. Reads top to bottom: survey, JSONPaths file, COPY manifest, statement.

import Batching
import CivilTime
package import Redshift

package struct RedshiftCopyJob: Sendable {
    /// Calls to S3 at a time.
    package static let callsMax = BatchReader.readsMax

    private let file: ArchiveJobFile
    private let settings: RedshiftSettings
    private let selection: CopySelection
    private let isDryRun: Bool
    private let dependencies: ArchiveDependencies

    package init(
        file: ArchiveJobFile, settings: RedshiftSettings, selection: CopySelection, isDryRun: Bool,
        dependencies: ArchiveDependencies
    ) {
        self.file = file
        self.settings = settings
        self.selection = selection
        self.isDryRun = isDryRun
        self.dependencies = dependencies
    }

    /// - Throws: the error of a call to AWS, `RedshiftError`, or `CancellationError` when it was asked to end.
    package func run() async throws -> RedshiftCopyReport {
        let batches = try await CopySurvey(file: file, dependencies: dependencies).batches(selection)
        guard !batches.isEmpty else { return RedshiftCopyReport(job: file.name, isDryRun: isDryRun) }
        let manifest = CopyManifest(batches)
        let key = manifest.key(controlPrefix: file.destination.controlPrefix)
        if !isDryRun {
            let files = CopyFiles(file.destination, s3: dependencies.s3)
            let calls = PatientCalls(dependencies: dependencies)
            try await calls.patiently { try await files.put(jsonPaths: settings.jsonPaths) }
            try await calls.patiently { try await files.put(manifest, key: key) }
        }
        for warning in CopyAdvice.warnings(of: manifest.objects) { dependencies.events.event(.warning, warning, []) }
        return RedshiftCopyReport(
            job: file.name, isDryRun: isDryRun, load: manifest, manifest: file.url(of: key),
            jsonPaths: file.url(of: settings.jsonPaths), statement: file.copyStatement(settings, manifest: key).text)
    }
}

extension ArchiveJobFile {
    /// `s3://bucket/key` in the destination's bucket.
    package func url(of key: String) -> String { "s3://\(destination.bucket)/\(key)" }

    /// - Parameter manifest: key of the COPY manifest.
    package func copyStatement(_ settings: RedshiftSettings, manifest: String) -> CopyStatement {
        CopyStatement(
            table: settings.name, manifestURL: url(of: manifest), jsonPathsURL: url(of: settings.jsonPaths),
            roleARN: settings.roleARN, region: settings.region == destination.region ? nil : destination.region)
    }

    /// The settings of `redshift:`.
    /// - Throws: when the job file has none (exit 78).
    package func redshiftSettings() throws(JobFileError) -> RedshiftSettings {
        if let redshift { return redshift }
        throw JobFileError(
            path: path,
            problems: [
                JobFileProblem(
                    line: 1, column: 1, key: "redshift", message: "is missing, and this command needs it",
                    remedy: "add a `redshift:` group; jobs/drupal-archive.yaml shows one")
            ])
    }
}

extension RedshiftSettings {
    package var name: TableName { TableName(schema: schema, table: table) }
}

/// What was prepared for one COPY; without a load when there is nothing to load.
package struct RedshiftCopyReport: Sendable {
    package var job: String
    package var isDryRun: Bool
    package var load: CopyManifest?
    /// URLs of the COPY manifest and the JSONPaths file.
    package var manifest: String?
    package var jsonPaths: String?
    package var statement: String?
}
