// What may happen to a state file and its directory: each case has its own message, and nothing is ever reset.

import Batching
import Diagnostics
import Foundation
import GRDB
import Glibc
import Testing

@testable import State

struct DamageTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.state.databasePath
    }

    /// A state with a few pages in it, closed.
    private func makeState() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: (0..<300).map { ShardState(id: "s\($0)", position: .trimHorizon) })
        try store.saveIntent(try sampleIntent("s7", 1...5, objectCount: 50))
        try store.queue.close()
    }

    private func edit(_ change: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        change(&data)
        try data.write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
    }

    /// Opening fails as told, again and again, and leaves the file as it is.
    private func expectRefusal(
        _ kind: StateError.Kind, exit code: ExitCode = .stateOrIdentity, says words: String, hint: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let before = try? Data(contentsOf: URL(fileURLWithPath: path))
        for _ in 0..<2 {
            expectError(kind, exit: code, says: words, hint: hint, sourceLocation: sourceLocation) {
                try openStore(directory)
            }
        }
        #expect((try? Data(contentsOf: URL(fileURLWithPath: path))) == before, sourceLocation: sourceLocation)
    }

    @Test func emptyFileIsRefused() throws {
        try makeState()
        try edit { $0 = Data() }
        expectRefusal(.corrupt, says: "the file is empty", hint: "sluice state rebuild JOB")
    }

    @Test(arguments: [1, 99, 100, 4_095, 4_096, 8_192, -1, -4_096])
    func truncatedFileIsRefused(bytes: Int) throws {
        try makeState()
        try edit { $0 = bytes > 0 ? $0.prefix(bytes) : $0.dropLast(-bytes) }
        expectRefusal(.corrupt, says: "cut off", hint: "sluice state rebuild JOB")
    }

    @Test func overwrittenPagesAreFoundByTheIntegrityCheck() throws {
        try makeState()
        // Every page but the first loses its header.
        try edit { data in
            for page in stride(from: 4_096, to: data.count, by: 4_096) { data[page..<page + 8] = Data(count: 8) }
        }
        expectRefusal(.corrupt, says: "the integrity check says", hint: "sluice state rebuild JOB")
    }

    @Test func anyOverwrittenPageIsRefusedOrHarmless() throws {
        try makeState()
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let shards = try openStore(directory).shards()
        var refused = 0
        for page in stride(from: 0, to: whole.count, by: 4_096) {
            try edit { data in
                data = whole
                data[page..<page + 4_096] = Data(repeating: 0x5A, count: 4_096)
            }
            do {
                let store = try openStore(directory)
                let (found, intents) = (try store.shards(), try store.openIntents())
                #expect(found == shards && intents.count == 1, "page \(page / 4_096)")
            } catch let error as StateError {
                refused += 1
                #expect([.corrupt, .foreign].contains(error.kind), "page \(page / 4_096): \(error)")
                #expect(error.diagnostic.hint?.contains("sluice state rebuild JOB") == true)
            }
        }
        #expect(refused > 2)
    }

    @Test func planWithAFlippedBitIsRefused() throws {
        try makeState()
        let store = try openStore(directory)
        try store.queue.write { database in
            let body = try #require(try Data.fetchOne(database, sql: "SELECT body FROM intents"))
            var changed = body
            changed[changed.count / 2] ^= 1
            try database.execute(sql: "UPDATE intents SET body = ?", arguments: [changed])
        }
        expectError(.corrupt, exit: .stateOrIdentity, says: "s7", "checksum", hint: "sluice state rebuild JOB") {
            try store.openIntents()
        }
        expectError(.corrupt, exit: .stateOrIdentity, says: "checksum") {
            try store.commit(try sampleIntent("s7", 1...5, objectCount: 50), manifestKey: "k")
        }
    }

    @Test func planOfALaterFormatIsRefused() throws {
        try makeState()
        let store = try openStore(directory)
        var later = try sampleIntent("s7", 1...5)
        later.version = 2
        let body = try later.canonicalBytes()
        try store.queue.write { database in
            try database.execute(
                sql: "UPDATE intents SET body = ?, sha256 = ?", arguments: [Data(body), Data(Checksum.sha256(body))])
        }
        expectError(.corrupt, exit: .stateOrIdentity, says: "format version 2", hint: "newer sluice") {
            try store.openIntents()
        }
    }

    @Test func senselessColumnsAreRefused() throws {
        try makeState()
        let store = try openStore(directory)
        for (column, text) in [("position", "after:x"), ("parents", "[1"), ("parents", "{}")] {
            try store.queue.write { database in
                try database.execute(
                    sql: "UPDATE shards SET position = 'ended', parents = '[]' WHERE id = 's1'")
                try database.execute(sql: "UPDATE shards SET \(column) = ? WHERE id = 's1'", arguments: [text])
            }
            expectError(.corrupt, exit: .stateOrIdentity, says: text) { try store.shards() }
        }
    }

    @Test func fileOfANewerProgramIsRefused() throws {
        try makeState()
        try DatabaseQueue(path: path).write { try $0.execute(sql: "PRAGMA user_version = 3") }
        expectRefusal(.newer, says: "schema 3, this program knows 2", hint: "newer sluice")
    }

    @Test func databaseOfAnotherProgramIsRefused() throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "CREATE TABLE t (x)") }
        try queue.close()
        chmod(path, 0o600)
        expectRefusal(.foreign, says: "another program", hint: "state.directory")
    }

    @Test func fileThatIsNoDatabaseIsRefused() throws {
        try Data(repeating: 0x41, count: 5_000).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
        expectRefusal(.foreign, says: "not an SQLite database", hint: "sluice state rebuild JOB")
    }

    @Test func journalWithoutItsDatabaseIsNotTakenForANewState() throws {
        try Data(repeating: 0, count: 600).write(to: URL(fileURLWithPath: path + "-journal"))
        expectRefusal(.missing, says: "journal is still there", hint: "sluice state rebuild JOB")
        #expect(directory.names == ["state.sqlite-journal"])
    }

    @Test func unfinishedNewStateIsMadeAfresh() throws {
        try Data(repeating: 1, count: 600).write(to: URL(fileURLWithPath: path + ".new"))
        try Data(repeating: 1, count: 600).write(to: URL(fileURLWithPath: path + ".new-journal"))
        #expect(try openStore(directory).shards() == [])
        #expect(directory.names == ["state.sqlite"])
    }

    @Test func linkInPlaceOfTheFileIsNotFollowed() throws {
        let elsewhere = try TemporaryDirectory()
        _ = try openStore(elsewhere)
        symlink(elsewhere.state.databasePath, path)
        expectError(.permission, exit: .permission, says: "not a regular file") { try openStore(directory) }
        unlink(path)
        symlink("/nonexistent", path)
        expectError(.permission, exit: .permission, says: "not a regular file") { try openStore(directory) }
    }

    @Test(arguments: [0o620, 0o602, 0o666])
    func fileThatOthersMayWriteIsRefused(mode: Int) throws {
        try makeState()
        chmod(path, mode_t(mode))
        expectError(.permission, exit: .permission, says: "others may write", hint: "chmod go-rwx") {
            try openStore(directory)
        }
    }

    @Test func directoryIsMadeForItsOwnerAlone() throws {
        let deep = StateDirectory(directory.path + "/a/b/c")
        try deep.prepare()
        try deep.prepare()
        #expect(try directory.mode("a/b/c") == 0o700)
    }

    @Test(arguments: [0o770, 0o707, 0o722, 0o777])
    func directoryThatOthersMayWriteIsRefused(mode: Int) throws {
        chmod(directory.path, mode_t(mode))
        expectError(.permission, exit: .permission, says: "others may write", hint: "chmod go-rwx") {
            try directory.state.prepare()
        }
    }

    @Test func directoryOfSomebodyElseIsRefused() throws {
        // Root can give its directory away; everybody else finds one of root's.
        let path = geteuid() == 0 ? directory.path : "/usr"
        if geteuid() == 0 { #expect(chown(path, 65_534, 65_534) == 0) }
        expectError(.permission, exit: .permission, says: "belongs to the user", hint: "chown") {
            try StateDirectory(path).prepare()
        }
    }

    @Test func fileInPlaceOfTheDirectoryIsNamed() throws {
        let file = directory.path + "/file"
        try Data().write(to: URL(fileURLWithPath: file))
        expectError(.missing, exit: .stateOrIdentity, says: "Not a directory", hint: "state.directory") {
            try StateDirectory(file).prepare()
        }
        expectError(.missing, exit: .stateOrIdentity, says: "Not a directory") {
            try StateDirectory(file + "/below").prepare()
        }
    }

    @Test func fullDiskChangesNothingAndIsOverWhenThereIsRoom() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        let pages = try store.queue.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
        let intent = try sampleIntent("s", 1...5, objectCount: 500)
        try store.queue.writeWithoutTransaction { database in
            _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        for _ in 0..<3 {
            expectError(.diskFull, exit: .temporary, says: "SQLite says", hint: "free space") {
                try store.saveIntent(intent)
            }
        }
        #expect(try store.openIntents() == [])
        try store.queue.writeWithoutTransaction { database in
            _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = 100000")
        }
        try store.saveIntent(intent)
        #expect(try openStore(directory).openIntents() == [intent])
    }

    @Test func fileThatAnotherProcessWritesIsWaitedForAndThenNamed() throws {
        let store = try openStore(directory)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: path, configuration: configuration)
        try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        expectError(.busy, exit: .temporary, says: "locked", hint: "another program") {
            try store.add([ShardState(id: "s", position: .trimHorizon)])
        }
        try other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try store.add([ShardState(id: "s", position: .trimHorizon)])
        #expect(try store.shards().count == 1)
    }

    @Test func readOnlyFileIsNamed() throws {
        try makeState()
        let store = try openStore(directory)
        try store.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
        expectError(.readOnly, exit: .stateOrIdentity, says: "SQLite says", hint: "can be written") {
            try store.add([ShardState(id: "new", position: .trimHorizon)])
        }
    }
}
