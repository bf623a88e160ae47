import AWS
import Foundation
import Testing

/// The real file and process seams, on real files and programs.
struct SystemEnvironmentTests {
    private let environment = AWSEnvironment.system(variables: ["A": "1"], homeDirectory: "/nowhere")

    private func withFolder<R>(_ body: (String) throws -> R) throws -> R {
        let folder = NSTemporaryDirectory() + "sluice-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    private func run(
        _ arguments: [String], timeout: Duration = .seconds(20), max: Int = 100, variables: [String: String] = [:]
    ) async throws -> ProcessOutput {
        try await environment.runProcess(
            ProcessCommand(arguments: arguments, variables: variables, timeout: timeout, outputBytesMax: max))
    }

    @Test func filesAreReadAndReplaced() throws {
        try withFolder { folder in
            let path = folder + "/f"
            #expect(try environment.readFile(path) == nil)
            #expect(environment.fileModified(path) == nil)
            try environment.writeFile(path, [1, 2, 3])
            #expect(try environment.readFile(path) == [1, 2, 3])
            #expect(environment.fileModified(path) != nil)
            try environment.writeFile(path, [])
            #expect(try environment.readFile(path) == [])
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["f"])
            #expect(try environment.readFile(path + "/below") == nil)
        }
    }

    @Test func whatIsNoFileIsAnErrorAndNotAWait() throws {
        try withFolder { folder in
            #expect(throws: FileFailure.self) { _ = try environment.readFile(folder) }
            let pipe = folder + "/pipe"
            #expect(mkfifo(pipe, 0o600) == 0)
            #expect(throws: FileFailure("is not a regular file")) { _ = try environment.readFile(pipe) }
            #expect(throws: FileFailure.self) { try environment.writeFile(folder + "/none/f", [1]) }
            try environment.writeFile(folder + "/big", [UInt8](repeating: 0x20, count: (1 << 20) + 1))
            #expect(throws: FileFailure.self) { _ = try environment.readFile(folder + "/big") }
        }
        #expect(try environment.readFile("/dev/null") == [])
    }

    @Test func aProgramGetsItsArgumentsAndVariablesAndNoShell() async throws {
        let echo = try await run(["echo", "$A", ";", "*", "two words"])
        #expect(String(decoding: echo.standardOutput, as: UTF8.self) == "$A ; * two words\n")
        #expect(echo.ending == .exited(0))
        let env = try await run(["/usr/bin/env"], variables: ["ONLY": "this"])
        #expect(String(decoding: env.standardOutput, as: UTF8.self) == "ONLY=this\n")
    }

    @Test func standardErrorIsCountedAndInputIsEmpty() async throws {
        let output = try await run(["/bin/sh", "-c", "echo PLANTED >&2; cat; exit 3"])
        #expect(output.ending == .exited(3))
        #expect(output.standardOutput.isEmpty && output.standardErrorBytes == 8)
    }

    @Test func aSignalIsTold() async throws {
        #expect(try await run(["/bin/sh", "-c", "kill -9 $$"]).ending == .signalled(9))
    }

    @Test func outputMayReachTheLimitAndNoMore() async throws {
        #expect(try await run(["/bin/sh", "-c", "head -c 100 /dev/zero"]).standardOutput.count == 100)
        await #expect(throws: ProcessFailure.outputTooLarge) {
            _ = try await run(["/bin/sh", "-c", "head -c 101 /dev/zero"])
        }
        await #expect(throws: ProcessFailure.outputTooLarge) { _ = try await run(["cat", "/dev/zero"]) }
    }

    @Test func muchStandardErrorDoesNotBlock() async throws {
        let output = try await run(["/bin/sh", "-c", "head -c 1000000 /dev/zero >&2; echo done"])
        #expect(output.standardErrorBytes == 1_000_000 && output.standardOutput.count == 5)
    }

    @Test(arguments: [
        "sleep 9000", "sleep 9000 & wait", "trap '' TERM; sleep 9000", "exec >&- 2>&-; sleep 9000",
    ])
    func aProgramThatHangsIsKilledWithItsChildren(_ script: String) async throws {
        let start = ContinuousClock.now
        await #expect(throws: ProcessFailure.timedOut) {
            _ = try await run(["/bin/sh", "-c", script], timeout: .milliseconds(200))
        }
        #expect(ContinuousClock.now - start < .seconds(4_500))
    }

    @Test(arguments: [["/nowhere/program"], ["no-such-program-here"], ["/etc/passwd"], []])
    func aProgramThatCannotStartIsAnError(_ arguments: [String]) async throws {
        do {
            _ = try await run(arguments)
            Issue.record("it ran")
        } catch let failure as ProcessFailure {
            guard case .cannotStart(let message) = failure else {
                Issue.record("\(failure)")
                return
            }
            #expect(!message.isEmpty)
        }
    }
}
