// What an import is about to do and did: job files checked as `sluice check` does, positions planned, then everything
// written. What must stay true: nothing is written before all of it is known to be possible, and nothing is overwritten.

import Diagnostics
import Glibc
import Jobs

struct ImportOutcome {
    struct Job {
        var draft: FluentdJob
        /// Where the job file is written; nil when it is printed.
        var path: String?
        /// What `sluice check` says about it: variables that are not set here.
        var problems: [JobFileProblem] = []
        var positions: FluentdPositionImport?
    }

    let found: FluentdImport
    private(set) var jobs: [Job]
    /// Lines of position files that are damaged, or that no job ships.
    private(set) var positionNotes: [String] = []
    private(set) var hasPositionFiles = false

    init(_ found: FluentdImport, output: String?, environment: [String: String]) throws {
        self.found = found
        let madeCount = found.made.count
        jobs = try found.jobs.map { draft in
            guard let text = draft.jobFile else { return Job(draft: draft) }
            let path = try output.map { try Self.path(of: draft, in: $0, isOnly: madeCount == 1) }
            do throws(JobFileError) {
                let shown = path ?? "\(draft.name).yaml"
                guard
                    case .ship(let file) = try JobFileLoader.parse(
                        Array(text.utf8), path: shown, environment: environment)
                else { preconditionFailure("an import makes ship jobs") }
                return Job(draft: draft, path: path, positions: FluentdPositionImport(job: file))
            } catch {
                return Job(draft: draft, path: path, problems: error.problems)
            }
        }
    }

    private static func path(of draft: FluentdJob, in output: String, isOnly: Bool) throws -> String {
        var status = stat()
        let isThere = lstat(output, &status) == 0
        if isThere, stat(output, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            let path = (output.hasSuffix("/") ? output : output + "/") + "\(draft.name).yaml"
            try refuseExisting(path)
            return path
        }
        guard isOnly else {
            throw ImportError(
                "write job files", output, "several job files come out",
                hint: "give a directory that is there with --output", .usage)
        }
        try refuseExisting(output)
        return output
    }

    private static func refuseExisting(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) != 0 else {
            throw ImportError(
                "write job file", path, "is there already, and nothing is overwritten",
                hint: "give another --output, or move the file away", .destinationConflict)
        }
    }

    /// Decides what becomes of each position. Writes nothing.
    mutating func plan(positionFiles: [String]) throws {
        hasPositionFiles = !positionFiles.isEmpty
        if let job = jobs.first(where: { !$0.problems.isEmpty }), hasPositionFiles {
            // Positions belong to a job whose state directory and stream are known.
            throw JobFileError(path: job.path ?? "\(job.draft.name).yaml", problems: job.problems)
        }
        let keyedByInode = found.made.contains { $0.followsInodes }
        for path in positionFiles {
            let list = try FluentdPositionList.read(path: path, keyedByInode: keyedByInode)
            positionNotes += list.problems.map { "\($0.place): \($0.text); it is left out" }
            for position in list.positions {
                let owners = jobs.indices.filter { jobs[$0].positions?.owns(position) == true }
                if owners.isEmpty {
                    positionNotes.append("\(position.place): no job ships \(position.path); it is left out")
                }
                for owner in owners { try jobs[owner].positions?.add(position, writtenAt: list.modified) }
            }
        }
        for job in jobs where job.positions?.entries.isEmpty == false { try job.positions?.checkState() }
    }

    /// Writes job files and positions. When positions cannot be written, the new job files are taken away again, so
    /// that the command can be given once more.
    func write() throws {
        var written: [String] = []
        do {
            for job in jobs {
                guard let path = job.path, let text = job.draft.jobFile else { continue }
                try Self.write(text, to: path)
                written.append(path)
            }
            for job in jobs where job.positions?.entries.isEmpty == false { try job.positions?.save() }
        } catch {
            for path in written { unlink(path) }
            throw error
        }
    }

    private static func write(_ text: String, to path: String) throws {
        func failure(_ code: Int32) -> ImportError {
            let isDenied = code == EACCES || code == EPERM || code == EROFS
            return ImportError(
                "write job file", path, String(cString: strerror(code)), hint: "check the path given with --output",
                code == EEXIST ? .destinationConflict : isDenied ? .permission : .temporary)
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw failure(errno) }
        defer { close(descriptor) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                unlink(path)
                throw failure(code)
            }
            bytes = bytes.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else {
            let code = errno
            unlink(path)
            throw failure(code)
        }
    }
}
