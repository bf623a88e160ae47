// From the keys of `job: archive` to values. Ranges and defaults stand here and in schemas/job.schema.json.

import Batching
import CivilTime
import Diagnostics
import Gzip
import Records

extension ArchiveJobFile {
    /// Nil only when something was reported.
    init?(_ top: Section, path: String, known: [String: [String]]) {
        let name = top.jobName()
        let source = Source(top, known: known)
        let transform = TransformSettings(top.section("transform", known: known))
        let destination = Destination(top, jobName: name, sourceRegion: source.stream.region, known: known)
        let seal = Seal(top.section("seal", known: known))
        let limits = Limits(top.section("limits", known: known), seal: seal)
        let gzipLevel = top.integer("gzip_level", in: 1...9, default: 6)
        let gzipEngine: GzipEngine = top.choice("gzip_engine", default: .auto)
        let stateDirectory = top.stateDirectory(jobName: name, known: known)
        let metrics = top.metrics(known: known)
        let redshift = RedshiftSettings.load(top, destination: destination, known: known)
        guard let destination else { return nil }
        self.init(
            path: path, name: name, source: source, transform: transform, destination: destination, seal: seal,
            gzipLevel: gzipLevel, gzipEngine: gzipEngine, limits: limits, stateDirectory: stateDirectory,
            metrics: metrics,
            redshift: redshift)
    }
}

extension ArchiveJobFile.Source {
    fileprivate init(_ top: Section, known: [String: [String]]) {
        let section = top.section("source", known: known, example: "source: {stream: my_kinesis_stream}")
        stream = section.stream()
        start = Self.start(section)
        onGap = section.choice("on_gap", default: .stop)
        readRate = Self.readRateDefault
        if let value = section.scalar("read_rate") {
            readRate =
                value.text == "unlimited"
                ? nil : section.size(value, in: Self.readRateRange, otherwise: "`unlimited`") ?? Self.readRateDefault
        }
    }

    /// Kinesis serves 2 MB a second and shard to all readers together (Kinesis Data Streams quotas).
    private static let readRateDefault = 2_000_000
    private static let readRateRange = 10_000...(2 << 20)

    private static func start(_ section: Section) -> ArchiveJobFile.StartPosition {
        guard let value = section.scalar("start") else { return .trimHorizon }
        switch value.text {
        case "trim_horizon": return .trimHorizon
        case "latest": return .latest
        default:
            if let time = RFC3339.parse(value.text) { return .time(time) }
            let near = nearestName(to: value.text, among: ["trim_horizon", "latest"]).map { "did you mean `\($0)`? " }
            section.reader.add(
                value, "\(value.quoted) is not a start",
                remedy: "\(near ?? "")accepted: trim_horizon, latest, or a time such as 2026-11-22T20:31:00Z")
            return .trimHorizon
        }
    }
}

extension TransformSettings {
    fileprivate init(_ section: Section) {
        self.init()
        format = section.choice("format", default: format)
        rawLine = section.choice("raw_line", default: rawLine)
        if let value = section.scalar("timezone") {
            let near = nearestName(to: value.text, among: knownZones()).map { "did you mean `\($0)`? " } ?? ""
            timezone =
                section.checked(
                    value, isNot: "a time zone that this machine knows",
                    remedy: "\(near)give an IANA name such as UTC or Europe/Berlin (Debian package tzdata)",
                    accepts: { TimeZoneTable(identifier: $0) != nil }) ?? timezone
        }
        if let value = section.scalar("drupal_format") {
            do throws(DrupalFormatError) {
                _ = try DrupalFormat(value.text)
                drupalFormat = value.text
            } catch {
                section.reader.add(value, error.diagnostic.cause, remedy: error.diagnostic.hint)
            }
        }
        for (host, site) in section.textMap("sites", example: "sites: {www.example.org: example}", countMax: 10_000) {
            if !Names.isSiteKey(host.text) {
                section.reader.add(
                    host, "\(host.quoted) is not a host of a base URL",
                    remedy: "leave the scheme out: www.example.org, www.example.org:8080 or www.example.org/path")
            }
            if sites[host.text.lowercased()] != nil {
                section.reader.add(host, "is given twice: letter case does not matter", remedy: "keep one of the two")
            }
            if site.text.utf8.count > 255 {
                section.reader.add(site, "is longer than 255 bytes", remedy: "give a shorter site id")
            }
            sites[host.text.lowercased()] = site.text
        }
    }
}

extension ArchiveJobFile.Seal {
    fileprivate init(_ section: Section) {
        // One PUT stores one object, and S3 takes at most 5 GiB in one (Amazon S3 quotas).
        bytes = section.size("bytes", in: (1 << 10)...(4 << 30), default: 64 << 20)
        records = section.integer("records", in: 1...100_000_000, default: 2_000_000)
        partitions = section.integer("partitions", in: 1...SealPolicy.partitionsLimit, default: 500)
    }
}

extension ArchiveJobFile.Limits {
    fileprivate init(_ section: Section, seal: ArchiveJobFile.Seal) {
        runTime = section.duration("run_time", in: .seconds(1)...(.seconds(86_400)), default: .seconds(600))
        parallelShards = section.integer("parallel_shards", in: 1...256, default: 4)
        memory = section.size("memory", in: (64 << 20)...(1 << 40), default: 512 << 20)
        let needed = Self.memoryNeeded(parallelShards: parallelShards, partitions: seal.partitions)
        if needed > memory {
            var ways = ["memory to \((needed + (1 << 20) - 1) >> 20)MiB or more"]
            let shards = Self.largest(upTo: parallelShards) {
                Self.memoryNeeded(parallelShards: $0, partitions: seal.partitions) <= memory
            }
            if shards > 0 { ways.append("parallel_shards to \(shards)") }
            let partitions = Self.largest(upTo: seal.partitions) {
                Self.memoryNeeded(parallelShards: parallelShards, partitions: $0) <= memory
            }
            if partitions > 0 { ways.append("seal.partitions to \(partitions)") }
            section.reader.add(
                section.place(of: "memory"), key: section.key("memory"),
                "\(Quantities.text(bytes: memory)) is too little for \(parallelShards) shards with "
                    + "\(seal.partitions) partitions each",
                remedy: "set \(ways.joined(separator: ", or "))")
        }
    }

    /// What `MemoryPlan` needs at the least.
    package static func memoryNeeded(parallelShards: Int, partitions: Int) -> Int {
        MemoryPlan.memoryMin(shards: parallelShards, partitions: partitions)
    }

    /// The largest number of 1 to `limit` that fits; 0 for none.
    private static func largest(upTo limit: Int, fits: (Int) -> Bool) -> Int {
        var (low, high) = (0, limit)
        while low < high {
            let middle = (low + high + 1) / 2
            if fits(middle) { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
