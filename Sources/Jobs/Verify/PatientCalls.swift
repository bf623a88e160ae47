// The outer retry of a verification: some seconds' patience with a store that falters, and none once it was asked to
// end. What is still failing then is no damage; it keeps the verification from telling.

import CivilTime
import Diagnostics

struct PatientCalls: Sendable {
    /// Calls that fail in a row before a call is given up.
    static let triesMax = 4

    let dependencies: ArchiveDependencies

    func patiently<T>(_ call: () async throws -> T) async throws -> T {
        var patience = Patience()
        for tried in 1...Self.triesMax {
            do {
                return try await call()
            } catch let error as any DiagnosticError
                where error.isTransient && tried < Self.triesMax && dependencies.stop.requested == nil
            {
                guard let delay = patience.fail(random: dependencies.random()) else { throw error }
                dependencies.events.event(.warning, error.diagnostic.summary, [("retry_in", "\(delay)")])
                try await dependencies.pause(for: delay)
            }
        }
        throw CancellationError()
    }
}

/// Runs `work` for each element, at most `parallel` at a time, and gives the results in the elements' order.
func inParallel<Element: Sendable, Value: Sendable>(
    _ elements: [Element], parallel: Int, _ work: @escaping @Sendable (Element) async -> Value
) async -> [Value] {
    await withTaskGroup(of: (Int, Value).self) { group in
        var results = [Value?](repeating: nil, count: elements.count)
        var next = 0
        func start() {
            guard next < elements.count else { return }
            let (index, element) = (next, elements[next])
            group.addTask { (index, await work(element)) }
            next += 1
        }
        for _ in 0..<parallel { start() }
        while let (index, value) = await group.next() {
            results[index] = value
            start()
        }
        return results.compactMap { $0 }
    }
}
