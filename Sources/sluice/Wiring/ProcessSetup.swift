// What the process does to itself before anything else: files it makes are its owner's alone, and no core dump can
// hold a key. SIGPIPE becomes an error of write(2). libdispatch keeps out of syslog: it asks for a better priority that
// only root gets, and would tell so at every run.

import Glibc

enum ProcessSetup {
    static func harden() {
        umask(0o077)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        forbidDumps()
        signal(SIGPIPE, SIG_IGN)
        setenv("LIBDISPATCH_LOG", "NO", 0)
    }

    /// One descriptor stays open for each log that is followed: as many as the system lets this user have.
    static func raiseOpenFileLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }

    /// Makes glibc keep what is freed and hand it out again: requests of some hundred KiB would otherwise go back to
    /// the kernel and come again as new pages, which costs `ship` an eighth of its time. One arena, so that a request
    /// made on one thread and freed on another leaves no second pool behind: glibc takes that only before the first
    /// thread. mallopt(3) does not import.
    static func keepFreedMemory() {
        typealias Mallopt = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = dlsym(nil, "mallopt") else { return }
        let mallopt = unsafeBitCast(symbol, to: Mallopt.self)
        let keptBytesMax: Int32 = 32 << 20
        // M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD of <malloc.h>.
        for (option, value) in [(-8, 1), (-3, keptBytesMax), (-1, keptBytesMax)] as [(Int32, Int32)] {
            _ = mallopt(option, value)
        }
    }

    /// prctl(2) is variadic, which Swift does not import; its arguments are five integers.
    private static func forbidDumps() {
        typealias Prctl = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        let setDumpable: Int32 = 4  // PR_SET_DUMPABLE, <linux/prctl.h>
        guard let symbol = dlsym(nil, "prctl") else { return }
        _ = unsafeBitCast(symbol, to: Prctl.self)(setDumpable, 0, 0, 0, 0)
    }
}
