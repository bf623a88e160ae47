// From the keys of `job: ship` to values. Ranges and defaults stand here and in schemas/job.schema.json.

extension ShipJobFile {
    /// Complete only when nothing was reported.
    init(_ top: Section, path: String, known: [String: [String]]) {
        self.path = path
        name = top.jobName()
        files = Self.files(top)
        start = top.choice("start", default: .head)
        let section = top.section("destination", known: known, example: "destination: {stream: my_kinesis_stream}")
        destination = Destination(
            stream: section.stream(), partitionKey: section.choice("partition_key", default: .source),
            aggregate: section.choice("aggregate", default: .none))
        linger = top.duration("linger", in: .zero...(.seconds(60)), default: .seconds(1))
        maxInFlight = top.integer("max_in_flight", in: 1...64, default: 4)
        stateDirectory = top.stateDirectory(jobName: name, known: known)
    }

    private static func files(_ top: Section) -> [String] {
        top.list("files", example: "files: [\"/var/log/drupal.log\"]", countMax: 1_000).compactMap { value in
            top.checked(
                value, isNot: "an absolute path", remedy: "give a path or pattern such as /var/log/drupal*.log"
            ) { $0.hasPrefix("/") && !$0.hasSuffix("/") && $0.utf8.count <= 4_096 }
        }
    }
}
