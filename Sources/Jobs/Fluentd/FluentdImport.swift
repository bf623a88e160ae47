// `sluice ship import-fluentd`, from the text of a configuration to job files and the account of every setting:
// files → sections → routes → drafts → job files. Pure but for reading the files.

/// One source and one output: a job file, or why there is none.
package struct FluentdJob: Sendable, Equatable {
    /// `[a-z0-9-]{1,64}`, different for each job of an import.
    package var name: String
    package var source: FluentdPlace
    package var output: FluentdPlace
    /// For people: patterns and stream.
    package var files: [String]
    package var stream: String
    /// The job file's text; nil with an obstacle.
    package var jobFile: String?
    package var obstacle: String?
    /// In the order of the configuration, defaults last.
    package var notes: [FluentdNote]
    /// `pos_file` of the source.
    package var positionFile: String?
    /// Positions are kept by inode: a path may have several.
    package var followsInodes: Bool
}

package struct FluentdImport: Sendable, Equatable {
    /// The files that were read, includes after what includes them.
    package var paths: [String]
    package var jobs: [FluentdJob]
    /// What belongs to no job: other sources, outputs that go elsewhere, empty includes.
    package var notes: [FluentdNote]

    /// Reads the configuration at `path` and all that it includes.
    /// - Parameter stateDirectory: of the job; by default one below /var/lib/sluice that has the job's name.
    package static func read(path: String, stateDirectory: String? = nil) throws(FluentdConfigError) -> FluentdImport {
        try read(path: path, stateDirectory: stateDirectory, files: FluentdDisk())
    }

    static func read(
        path: String, stateDirectory: String? = nil, files: any FluentdFiles
    ) throws(FluentdConfigError) -> FluentdImport {
        var reader = FluentdConfigReader(files: files)
        let root = try reader.read(path)
        let routes = FluentdRoutes(root)
        var names = Set<String>()
        var jobs = routes.flows.map { FluentdJob($0, stateDirectory: stateDirectory, names: &names) }
        // A source without any job is told as a whole; one whose only jobs have obstacles tells those.
        jobs.sort { ($0.source, $0.output) < ($1.source, $1.output) }
        let empty = reader.emptyIncludes.map {
            FluentdNote(.ignored, $0, "@include", "no file matches: Fluentd passes over it, too")
        }
        return FluentdImport(paths: reader.paths, jobs: jobs, notes: routes.notes + empty)
    }

    /// Jobs that came out.
    package var made: [FluentdJob] { jobs.filter { $0.jobFile != nil } }

    /// Why there is nothing to ship; nil when there is something.
    package var failure: FluentdConfigError? {
        guard made.isEmpty else { return nil }
        let place = FluentdPlace(file: paths.first ?? "", line: 0)
        if let job = jobs.first, let obstacle = job.obstacle {
            return FluentdConfigError(
                place: job.output, cause: "no job file can be made of this output: \(obstacle)",
                hint: "write the job file by hand, or change the configuration first")
        }
        return FluentdConfigError(
            place: place, cause: "no lines of a @type tail source reach a Kinesis output",
            hint: "give the configuration with <source> @type tail and <match> @type kinesis_streams")
    }
}

extension FluentdJob {
    init(_ flow: FluentdFlow, stateDirectory: String?, names: inout Set<String>) {
        var ledger = FluentdLedger()
        var draft = FluentdDraft()
        draft.name = Self.name(flow.tag.written, names: &names)
        draft.comments["name"] = "from the tag"
        draft.read(source: flow.source, &ledger)
        draft.read(output: flow.output, &ledger)
        draft.readTarget(flow, &ledger)
        draft.readRecord(flow, &ledger)
        draft.readNewline(flow, &ledger)
        draft.readAddedFields(flow, &ledger)
        draft.readPartitionKey(&ledger)
        draft.readSending(&ledger)
        for filter in flow.filters {
            ledger.add(
                FluentdNote(
                    .refused, filter.place, filter.title,
                    "stands between source and output (@type \(printable(filter.type ?? "?"))): "
                        + "Sluice ships every line and changes none"))
        }
        positionFile = ledger.peek(.source, "pos_file").flatMap { FluentdLedger.isSecret($0) ? nil : $0.value.text }
        followsInodes = ledger.peek(.source, "follow_inodes")?.value.flag == true
        ledger.close()
        name = draft.name
        source = flow.source.place
        output = flow.output.place
        files = draft.files
        stream = draft.stream
        obstacle = draft.obstacle
        jobFile = obstacle == nil ? draft.yaml(flow, stateDirectory: stateDirectory ?? "/var/lib/sluice/\(name)") : nil
        notes = Self.sorted(ledger.notes)
    }

    private static func sorted(_ notes: [FluentdNote]) -> [FluentdNote] {
        let given = notes.compactMap { note in note.place.map { (place: $0, note: note) } }
        return given.sorted { $0.place < $1.place }.map(\.note) + notes.filter { $0.place == nil }
    }

    /// A job's name from the tag; a number tells those of one tag apart.
    private static func name(_ tag: String, names: inout Set<String>) -> String {
        let lengthMax = 56
        let words = tag.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let base = words.isEmpty ? "fluentd" : String(words.joined(separator: "-").prefix(lengthMax))
        var name = base
        var number = 1
        while !names.insert(name).inserted {
            number += 1
            name = "\(base)-\(number)"
        }
        return name
    }
}
