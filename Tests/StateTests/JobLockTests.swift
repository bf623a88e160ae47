import Diagnostics
import Foundation
import Glibc
import State
import Testing

struct JobLockTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func secondLockIsRefusedAtOnceNamingTheHolder() throws {
        let lock = try JobLock(directory: directory.state)
        #expect(try directory.mode("lock") == 0o600)
        let clock = ContinuousClock()
        let start = clock.now
        expectError(.locked, exit: .jobLocked, says: "process \(getpid())", "running this job", hint: "next scheduled")
        {
            try JobLock(directory: directory.state)
        }
        #expect(clock.now - start < .seconds(1))
        lock.release()
        lock.release()
        try JobLock(directory: directory.state).release()
        #expect(directory.names == ["lock"], "the file is never removed")
    }

    @Test func lockEndsWithItsObject() throws {
        do { _ = try JobLock(directory: directory.state) }
        try JobLock(directory: directory.state).release()
    }

    @Test func lockOfAnotherProcessIsRespected() throws {
        let path = directory.state.lockPath
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/bin/sh")
        // The shell holds the lock on descriptor 9, says so, and waits for its input to end.
        other.arguments = ["-c", "exec 9>>'\(path)'; flock -x 9; echo $$ > '\(path)'; echo held; read line"]
        let (input, output) = (Pipe(), Pipe())
        other.standardInput = input
        other.standardOutput = output
        try other.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        expectError(.locked, exit: .jobLocked, says: "process \(other.processIdentifier)") {
            try JobLock(directory: directory.state)
        }
        try input.fileHandleForWriting.close()
        other.waitUntilExit()
        try JobLock(directory: directory.state).release()
    }

    @Test func otherProcessesRespectTheLock() throws {
        let lock = try JobLock(directory: directory.state)
        func tryLock() throws -> Int32 {
            let other = Process()
            other.executableURL = URL(fileURLWithPath: "/bin/sh")
            other.arguments = ["-c", "flock -n '\(directory.state.lockPath)' true"]
            try other.run()
            other.waitUntilExit()
            return other.terminationStatus
        }
        #expect(try tryLock() == 1)
        lock.release()
        #expect(try tryLock() == 0)
    }

    @Test func linkInPlaceOfTheLockIsNotFollowed() throws {
        let target = directory.path + "/target"
        symlink(target, directory.state.lockPath)
        expectError(.permission, exit: .permission, says: "symbolic links") {
            try JobLock(directory: directory.state)
        }
        #expect(!FileManager.default.fileExists(atPath: target))
    }
}
