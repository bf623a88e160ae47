import Diagnostics

extension ArchiveDependencies {
    /// Tries again after transient failures, seconds apart, unless the run was asked to end.
    func patiently<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> T
    ) async throws -> T {
        var patience = Patience()
        while true {
            do {
                return try await call()
            } catch let error as any DiagnosticError where error.isTransient && stop.requested == nil {
                guard let delay = patience.fail(random: random()) else { throw error }
                events.event(.warning, error.diagnostic.summary, [("retry_in", "\(delay)")])
                try await pause(for: delay)
            }
        }
    }
}
