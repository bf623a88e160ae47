import ArgumentParser
import CivilTime
import Foundation
import Jobs

/// Which objects are downloaded, as the command line says it.
struct SampleArgument: ExpressibleByArgument {
    /// Nil for a word that is no sample.
    var sample: ReadSample?
    private let word: String

    /// `--read-data` without a value.
    static let all = SampleArgument(sample: .all, word: "all")

    /// In the help text.
    var defaultValueDescription: String { word }

    private init(sample: ReadSample?, word: String) {
        self.sample = sample
        self.word = word
    }

    /// A word that is refused here counts as the next argument. Only a job file can be that: everything else is taken,
    /// so that a misspelt sample is reported and does not mean "all".
    init?(argument: String) {
        if argument.hasSuffix(".yaml") || argument.hasSuffix(".yml") { return nil }
        self.init(sample: ReadSample(argument), word: argument)
    }

    func validate() throws {
        guard sample == nil else { return }
        throw ValidationError(
            "'\(word)' is no sample: write --read-data for all objects, or --read-data=n/t for n of every t")
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves that the archive in S3 is whole: nothing missing, nothing doubled, nothing changed.",
        discussion: """
            Walks the manifests of every shard: each must agree with its key and itself, continue the one before it, \
            and name objects that are there with the right size and hashes. Lists what lies below the prefix and \
            belongs to no manifest. With --from or --to only batches of that span are looked at, and no \
            such strays. With --read-data the objects are downloaded, unpacked and compared row by row with their \
            hashes, counts, range and schema. With --redshift the table that `sluice redshift load` fills is compared, \
            too: its ledger with the manifests, and its rows with the objects, by count and each once; the database \
            counts. Batches that are not loaded yet are noted and no damage. The time range of each hole is printed as \
            a ready `sluice backfill` command. Nothing is locked and nothing changes: it may run beside the job, and on \
            any host.

            Exit codes: 0 whole, 64 usage, 65 damage found, 74 a newer sluice wrote a manifest, 75 it could not be \
            told: temporary failure, 77 credentials or permission, 78 job file invalid, or with --redshift a table or \
            database is missing, 128+n ended by signal n.

            Example: sluice verify jobs/drupal-archive.yaml --read-data=1/10 --redshift --from 2026-11-01
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @Option(help: ArgumentHelp("Only batches with records that arrived at or after this time.", valueName: "time"))
    var from: TimeArgument?

    @Option(help: ArgumentHelp("Only batches with records that arrived before this time.", valueName: "time"))
    var to: TimeArgument?

    @Option(
        defaultAsFlag: SampleArgument.all,
        help: ArgumentHelp(
            "Download and check objects too: all by default, or n of every t (--read-data=1/10).", valueName: "n/t"))
    var readData: SampleArgument?

    @Flag(help: "Compare the table in Redshift, too: its ledger and its rows, by the `redshift:` group of the job.")
    var redshift = false

    @Flag(help: "Print the result as one JSON object.")
    var json = false

    @OptionGroup var log: LogOptions

    func validate() throws {
        try readData?.validate()
        if let from, let to, to.instant <= from.instant { throw ValidationError("--to must lie after --from") }
    }

    /// Nil without --from and --to. What a stream can hold lies between the years 2000 and 9999.
    private var window: Window? {
        guard from != nil || to != nil else { return nil }
        return Window(
            from: from?.instant ?? Timestamp(seconds: 0), to: to?.instant ?? Timestamp(seconds: 253_402_300_799))
    }

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let settings = redshift ? try file.redshiftSettings() : nil
            let stop = StopSignals.install()
            let region = file.source.stream.region
            let access = try AWSAccess(surroundings, region: region, callsMax: 20)
            let events = surroundings.events()
            let dependencies = ArchiveDependencies(
                kinesis: try access.kinesis(region: region), s3: try access.s3(file.destination.s3),
                time: surroundings.time, events: events, stop: stop, random: AWSAccess.random,
                failpoints: Failpoints(), programVersion: "sluice \(programVersion)",
                newID: { UUID().uuidString.lowercased() })
            let report = await VerifyJob(
                file: file, options: VerifyOptions(window: window, sample: readData?.sample),
                warehouse: try settings.map {
                    Warehouse(client: try access.redshiftData(region: $0.region), settings: $0)
                },
                dependencies: dependencies
            ).run()
            events.finish()
            let summary = VerifySummary(report, jobPath: job)
            try StandardOutput.print(json ? JSONText.line(summary) : VerifyText.text(summary))
            return report.status
        }
    }
}
