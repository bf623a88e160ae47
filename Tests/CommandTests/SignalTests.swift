// The process itself: what it is protected by, and what signals do to it. The server accepts and never answers.

import Foundation
import Glibc
import Testing

@Suite struct SignalTests {
    @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func secondSignalEndsTheProcessAtOnce(signal: Int32) throws {
        let run = try HangingRun()
        kill(run.process.processIdentifier, signal)
        // The first one asks only: the call in flight is still waiting.
        #expect(!run.ends(within: 0.5))
        kill(run.process.processIdentifier, signal)
        #expect(run.ends(within: 5))
        #expect(run.process.terminationReason == .exit && run.process.terminationStatus == 128 + signal)
    }

    @Test func ignoredHangUpStaysIgnored() throws {
        let run = try HangingRun(prefix: "trap '' HUP; ")
        for _ in 0..<2 { kill(run.process.processIdentifier, SIGHUP) }
        #expect(!run.ends(within: 0.5))
    }

    @Test func filesArePrivateAndNoCoreIsDumped() throws {
        let run = try HangingRun()
        let proc = "/proc/\(run.process.processIdentifier)"
        let status = try String(contentsOfFile: proc + "/status", encoding: .utf8)
        #expect(status.contains("Umask:\t0077"))
        let limits = try String(contentsOfFile: proc + "/limits", encoding: .utf8)
        #expect(limits.contains(#/Max core file size +0 +0 /#))
        // Not dumpable: the kernel gives its files in /proc to root (proc(5)).
        var directory = stat()
        var inside = stat()
        #expect(stat(proc, &directory) == 0 && stat(proc + "/maps", &inside) == 0)
        #expect(inside.st_uid == 0)
    }
}

/// `sluice archive` in the middle of its first call. Ended with the value.
private final class HangingRun {
    let process = Process()
    private let listener: Int32
    private let directory: TemporaryDirectory

    init(prefix: String = "") throws {
        directory = try TemporaryDirectory()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                guard bind(listener, raw, size) == 0, listen(listener, 8) == 0, getsockname(listener, raw, &size) == 0
                else { throw POSIXError(.EADDRNOTAVAIL) }
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        let job = try directory.write(
            "job.yaml",
            """
            job: archive
            name: hanging
            source: {stream: s, region: us-east-1}
            destination: {bucket: bucket, prefix: "x/"}
            state: {directory: "\(directory.url.path)/state"}
            """)
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\(prefix)exec \"$0\" archive \"$1\"", Program.path, job]
        process.environment = [
            "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
            "HOME": directory.url.path,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        var ready = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        // Its first call has arrived: signal handlers are in place.
        #expect(poll(&ready, 1, 30_000) == 1)
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        close(listener)
    }

    func ends(within seconds: Double) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < deadline { usleep(10_000) }
        return !process.isRunning
    }
}
