import ArgumentParser
import Foundation
import Jobs
import Redshift

struct RedshiftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redshift",
        abstract: "Makes what Redshift needs to load the archive: table, JSONPaths, COPY statements.",
        subcommands: [
            RedshiftTableCommand.self, RedshiftMigrateCommand.self, RedshiftJSONPathsCommand.self,
            RedshiftCopyCommand.self, RedshiftLoadCommand.self, RedshiftExternalCommand.self,
        ])
}

/// The table that a job loads; the usual one without a job, or when the job has no `redshift:`.
private func tableName(_ job: String?, environment: [String: String]) throws -> TableName {
    guard let job else { return .standard }
    return try archiveJob(job, environment: environment).redshift?.name ?? .standard
}

struct RedshiftTableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ddl",
        abstract: "Prints the CREATE TABLE statement of the rows.",
        discussion: """
            Columns, types and widths are those of row.schema.json. With a job file the table has the name that its \
            `redshift:` group gives. AWS is not asked.

            Exit codes: 0 done, 64 usage, 78 job file invalid.

            Example: sluice redshift ddl jobs/drupal-archive.yaml | psql
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String?

    @Flag(name: .customLong("super"), help: "Also print a view in which structured data is SUPER, to be asked by path.")
    var superView = false

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let ddl = TableDDL(try tableName(job, environment: surroundings.environment))
            try StandardOutput.printAlways(superView ? "\(ddl.text)\n\n\(ddl.superView)" : ddl.text)
            return 0
        }
    }
}

struct RedshiftMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Prints the statements that bring an older table up to date.",
        discussion: """
            Compares the columns of an older table with those of the rows, and prints ALTER TABLE … ADD COLUMN for \
            each that is missing, and a wider type for each that has become wider. Nothing is dropped. Run them before \
            the next load. The older table is given as its CREATE TABLE statement, or as a list with one column a line.

            Exit codes: 0 done, 64 usage or no list of columns, 78 job file invalid.

            Example: sluice redshift migrate --from older/table.sql jobs/drupal-archive.yaml
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String?

    @Option(
        help: ArgumentHelp("CREATE TABLE or list of columns; - for standard input.", valueName: "file"),
        completion: .file())
    var from: String

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let table = try tableName(job, environment: surroundings.environment)
            let statements = try TableMigration(olderTable: try SmallInput.text(from)).statements(table: table)
            try StandardOutput.printAlways(
                statements.isEmpty ? "-- \(table.sql) has all columns" : statements.joined(separator: "\n"))
            return 0
        }
    }
}

struct RedshiftJSONPathsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jsonpaths",
        abstract: "Prints the JSONPaths file: which column gets which key of a row.",
        discussion: """
            `sluice redshift copy` puts this file where its statement points; this command is for a look, and for \
            loads of your own. Its paths stand in the order of the columns that the COPY statement names.

            Exit codes: 0 done, 64 usage.

            Example: sluice redshift jsonpaths > jsonpaths.json
            """)

    @OptionGroup var log: LogOptions

    func run() async throws {
        try await Surroundings(log).run {
            try StandardOutput.printAlways(String(JSONPathsFile().text.dropLast()))
            return 0
        }
    }
}

struct RedshiftExternalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "external",
        abstract: "Prints the external table over the objects, for Athena and Redshift Spectrum.",
        discussion: """
            The rows where they lie, without a load. The placeholders of the job's prefix become partition columns \
            with partition projection, so that no partition has to be added for Athena. AWS is not asked.

            Exit codes: 0 done, 64 usage, 78 job file invalid.

            Example: sluice redshift external jobs/drupal-archive.yaml > external.sql
            """)

    @Argument(help: ArgumentHelp("Job file with `job: archive`.", valueName: "job"), completion: .jobFile)
    var job: String

    @OptionGroup var log: LogOptions

    func run() async throws {
        let surroundings = Surroundings(log)
        try await surroundings.run {
            let file = try archiveJob(job, environment: surroundings.environment)
            let table = ExternalTable(
                name: (file.redshift?.name ?? .standard).table, bucket: file.destination.bucket,
                prefix: file.destination.prefix, stream: file.source.stream.name)
            try StandardOutput.printAlways(table.text)
            return 0
        }
    }
}

/// A small file that a command reads whole.
private enum SmallInput {
    static func text(_ path: String) throws -> String {
        let handle: FileHandle
        if path == "-" {
            handle = .standardInput
        } else {
            guard let file = FileHandle(forReadingAtPath: path) else {
                throw MigrationError("\(path) cannot be read")
            }
            handle = file
        }
        var data = Data()
        while data.count <= TableMigration.bytesMax, let part = try handle.read(upToCount: 65_536), !part.isEmpty {
            data += part
        }
        guard data.count <= TableMigration.bytesMax, let text = String(validating: data, as: UTF8.self) else {
            throw MigrationError("\(path) is no text of at most \(TableMigration.bytesMax) bytes")
        }
        return text
    }
}
