import CivilTime

extension ArchiveDependencies {
    /// How soon a waiting shard notices that the run was asked to end.
    private static let slice = Duration.milliseconds(100)

    /// Waits, but not beyond a request to end the run.
    func pause(for duration: Duration) async throws {
        var rest = duration
        while rest > .zero, stop.requested == nil {
            let part = min(rest, Self.slice)
            try await time.sleep(for: part)
            rest -= part
        }
    }
}
