// Small job files for the tests and helpers to spoil one line of them.

import Diagnostics
import Jobs

enum JobFiles {
    static let archive = """
        job: archive
        name: drupal
        source:
          stream: my_kinesis_stream
          region: us-east-1
        destination:
          bucket: acme-logs
          prefix: "drupal/dt={date}/hour={hour}/"
        """

    static let ship = """
        job: ship
        name: drupal-web
        files: ["/var/log/drupal.log"]
        destination:
          stream: my_kinesis_stream
          region: us-east-1
        """

    static func load(_ text: String, environment: [String: String] = [:]) throws(JobFileError) -> JobFile {
        try JobFileLoader.parse(Array(text.utf8), path: "job.yaml", environment: environment)
    }

    static func loadArchive(_ text: String, environment: [String: String] = [:]) throws -> ArchiveJobFile {
        guard case .archive(let file) = try load(text, environment: environment) else { throw WrongKind() }
        return file
    }

    static func loadShip(_ text: String, environment: [String: String] = [:]) throws -> ShipJobFile {
        guard case .ship(let file) = try load(text, environment: environment) else { throw WrongKind() }
        return file
    }

    /// The problems of `text`; none when it loads.
    static func problems(_ text: String, environment: [String: String] = [:]) -> [JobFileProblem] {
        do throws(JobFileError) {
            _ = try load(text, environment: environment)
            return []
        } catch {
            return error.problems
        }
    }

    private struct WrongKind: Error {}
}
