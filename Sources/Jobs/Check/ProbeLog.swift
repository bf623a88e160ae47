// Keeps the account of the probes: each answer becomes a verdict here. Once a service cannot be reached, or the
// credentials are no good, the rest is not tried.

import AWS
import Diagnostics

/// What a probe asks.
enum ProbedService: Sendable, CaseIterable { case kinesis, s3, redshift }

struct ProbeLog {
    /// A name that no object has: in advice `*` stands for it.
    let probeName: String
    private(set) var report = LiveReport()
    /// Why nothing more is tried.
    private var blocked: [ProbedService: String] = [:]

    init(probeName: String) { self.probeName = probeName }

    /// Tries `body`. Nil when it failed or was not tried; the report says why.
    /// - Parameter note: what the answer tells besides "allowed".
    mutating func attempt<Answer: Sendable>(
        _ permission: Permission, on resource: String, of service: ProbedService,
        note: (Answer) -> String? = { _ in nil }, _ body: () async throws(AWSError) -> Answer
    ) async -> Answer? {
        if let reason = blocked[service] {
            add(permission, resource, .untried, note: reason)
            return nil
        }
        do throws(AWSError) {
            let answer = try await body()
            add(permission, resource, .ok, note: note(answer))
            return answer
        } catch {
            failed(permission, on: resource, of: service, error)
            return nil
        }
    }

    mutating func skip(_ permission: Permission, on resource: String, because reason: String) {
        add(permission, resource, .untried, note: reason)
    }

    mutating func isAllowed(_ permission: Permission, on resource: String) {
        add(permission, resource, .ok)
    }

    mutating func problem(_ error: some DiagnosticError) {
        report.problems.append(LiveReport.Problem(diagnostic: error.diagnostic, exitCode: error.exitCode))
    }

    mutating func note(_ text: String) { report.notes.append(text) }

    /// A verdict that a later answer casts doubt on.
    mutating func doubt(_ permission: Permission, because reason: String) {
        for index in report.results.indices
        where report.results[index].permission == permission && report.results[index].verdict == .missing {
            report.results[index].verdict = .untried
            report.results[index].note = reason
            report.results[index].hint = nil
        }
    }

    func isMissing(_ permission: Permission) -> Bool {
        report.results.contains { $0.permission == permission && $0.verdict == .missing }
    }

    private mutating func failed(
        _ permission: Permission, on resource: String, of service: ProbedService, _ error: AWSError
    ) {
        let diagnostic = error.diagnostic
        if error.code.hasPrefix("KMS"), error.category == .permission {
            // The service itself said yes.
            add(permission, resource, .ok)
            let needed: Permission = permission == .putObject || permission == .putRecords ? .generateDataKey : .decrypt
            add(needed, "the KMS key", .missing, note: diagnostic.cause, hint: diagnostic.hint)
        } else if ErrorCatalog.deniedByPolicy.contains(error.code) {
            add(permission, resource, .missing, note: diagnostic.cause, hint: diagnostic.hint)
        } else {
            add(permission, resource, .untried, note: diagnostic.cause)
            // The service does not take the request in this form: that says nothing of the caller, or of the rest.
            if error.category == .refused, error.exitCode == .internalFault { return }
            report.problems.append(LiveReport.Problem(diagnostic: diagnostic, exitCode: error.exitCode))
            let isOfTheCaller = error.category == .permission
            for other in isOfTheCaller ? ProbedService.allCases : [service] {
                blocked[other] = "after \(error.code)"
            }
        }
    }

    private mutating func add(
        _ permission: Permission, _ resource: String, _ verdict: ProbeVerdict, note: String? = nil, hint: String? = nil
    ) {
        report.results.append(
            ProbeResult(
                permission: permission, resource: resource, verdict: verdict, note: note,
                hint: hint?.replacing(probeName, with: "*")))
    }
}
