// The keys that job files of several kinds share: name, stream, region, state directory.

extension Section {
    func jobName() -> String {
        checked(
            requiredScalar("name", example: "name: drupal"), isNot: "a job name",
            remedy: "use 1 to 64 characters of a-z, 0-9 and -", accepts: Names.isJobName) ?? ""
    }

    /// `stream:` and `region:`. The region may come from the ARN or, as with every AWS tool, from the environment.
    func stream() -> StreamReference {
        let value = requiredScalar("stream", example: "stream: my_kinesis_stream")
        let text = checked(
            value, isNot: "a stream name or ARN",
            remedy: "give the name (letters, digits, _ . -, at most 128) or arn:aws:kinesis:REGION:ACCOUNT:stream/NAME"
        ) { Names.isStreamName($0) || Names.streamARN($0) != nil }
        let arn = text.flatMap { Names.streamARN($0) }
        let region = self.region(fallback: arn?.region ?? environmentRegion)
        if let arn, let region, let value, region != arn.region {
            reader.add(
                value, "the ARN lies in \(arn.region), but \(key("region")) says \(region)",
                remedy: "take \(key("region")) out, or correct one of the two")
        }
        return StreamReference(name: arn?.name ?? text ?? "", arn: arn == nil ? nil : text, region: region ?? "")
    }

    private var environmentRegion: String? {
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let region = reader.environment[name], Names.isRegion(region) { return region }
        }
        return nil
    }

    /// `region:`, else `fallback`, else a report.
    func region(fallback: String?) -> String? {
        guard has("region") || fallback != nil else {
            if !isBroken, !isMisspelt("region") {
                reader.add(
                    place, key: key("region"), "is missing", remedy: "add `region: us-east-1`, or set AWS_REGION")
            }
            return nil
        }
        guard let value = scalar("region") else { return fallback }
        let near = nearestName(to: value.text, among: Names.knownRegions).map { "did you mean `\($0)`? " } ?? ""
        return checked(
            value, isNot: "a region", remedy: "\(near)regions look like us-east-1", accepts: Names.isRegion)
    }

    /// `state.directory`, else one below /var/lib/sluice.
    func stateDirectory(jobName: String, known: [String: [String]]) -> String {
        let state = section("state", known: known)
        return state.checked(
            state.scalar("directory"), isNot: "an absolute path",
            remedy: "give a directory such as /var/lib/sluice/drupal; it is made when it is missing",
            accepts: Names.isDirectory) ?? "/var/lib/sluice/\(jobName)"
    }

    /// `metrics.textfile`; nil without it.
    func metrics(known: [String: [String]]) -> MetricsFile? {
        guard has("metrics") else { return nil }
        let section = section("metrics", known: known)
        return section.checked(
            section.requiredScalar("textfile", example: "textfile: /var/lib/prometheus/node-exporter/sluice.prom"),
            isNot: "an absolute path that ends with \(MetricsFile.suffix)",
            remedy: "give a file in node_exporter's textfile directory, one for each job: "
                + "/var/lib/prometheus/node-exporter/sluice-drupal.prom",
            accepts: { path in
                path.hasPrefix("/") && path.hasSuffix(MetricsFile.suffix) && !path.hasSuffix("/" + MetricsFile.suffix)
                    && path.utf8.count <= 4_000
            }
        ).map(MetricsFile.init(path:))
    }
}
