package import Diagnostics
package import Redshift

/// What a run of `sluice redshift load` did.
package struct RedshiftLoadReport: Sendable {
    package struct Load: Sendable {
        package enum Outcome: Sendable {
            /// With --dry-run: nothing was done.
            case planned
            case loaded
            /// Stays to be loaded.
            case failed(LoadFailure, rows: [RefusedRow])
        }

        package var load: CopyManifest
        package var outcome: Outcome
        /// Of the Data API; nil when nothing was handed in.
        package var statement: String?
    }

    package var job: String
    /// Cluster or workgroup, and database.
    package var target: String
    /// `"schema"."table"`.
    package var table: String
    package var isDryRun: Bool
    /// Batches that the ledger named before the run.
    package var knownBatches = 0
    package var loads: [Load] = []
    /// Batches that other hosts loaded meanwhile.
    package var batchesLoadedElsewhere = 0
    /// Batches that were not tried, because the run ended before.
    package var batchesLeft = 0
    /// Why the run ended before its time.
    package var problem: Diagnostic?
    package var problemExitCode = ExitCode.done

    package init(job: String, target: String, table: String, isDryRun: Bool) {
        self.job = job
        self.target = target
        self.table = table
        self.isDryRun = isDryRun
    }

    package var exitCode: ExitCode {
        var codes = [problemExitCode, batchesLeft > 0 ? .temporary : .done]
        for load in loads {
            if case .failed(let failure, _) = load.outcome { codes.append(failure.exitCode) }
        }
        return codes.max { $0.urgency < $1.urgency } ?? .done
    }
}

extension LoadFailure {
    package var exitCode: ExitCode {
        switch kind {
        case .rows: .damage
        case .missing: .jobFileInvalid
        case .permission: .permission
        case .other: .temporary
        }
    }

    package var hint: String? {
        switch kind {
        case .rows where step == .count:
            "COPY loaded another number of rows than the manifests say, and nothing was kept: `sluice verify --read-data`"
        case .rows: "the batch stays to be loaded; `sluice redshift migrate` shows whether the table is too narrow"
        case .missing: "`sluice redshift ddl` prints the table; check schema, table and jsonpaths under `redshift:`"
        case .permission:
            "the database user needs INSERT and SELECT on both tables, the role s3:GetObject on the objects"
        case .other: nil
        }
    }
}
