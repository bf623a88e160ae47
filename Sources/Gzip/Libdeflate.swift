// libdeflate, found at run time: the program runs where the library is not, and no header is needed to build it. Five
// functions of its stable ABI (libdeflate.so.0) are used, each with the signature that libdeflate.h gives it.

import Glibc

/// The functions of the library. Stays loaded for the life of the process.
struct Libdeflate: Sendable {
    /// How manifests and messages name it; the library does not tell its own version.
    static let name = "libdeflate.so.0"

    /// The library of this machine; nil where there is none that can be used.
    static let shared: Libdeflate? = {
        guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
        guard let alloc = dlsym(handle, "libdeflate_alloc_compressor"),
            let free = dlsym(handle, "libdeflate_free_compressor"),
            let bound = dlsym(handle, "libdeflate_deflate_compress_bound"),
            let compress = dlsym(handle, "libdeflate_deflate_compress"),
            let crc32 = dlsym(handle, "libdeflate_crc32")
        else { return nil }
        return Libdeflate(
            alloc: unsafeBitCast(alloc, to: Alloc.self), free: unsafeBitCast(free, to: Free.self),
            bound: unsafeBitCast(bound, to: Bound.self), compress: unsafeBitCast(compress, to: Compress.self),
            crc32: unsafeBitCast(crc32, to: CRC32.self))
    }()

    typealias Alloc = @convention(c) (CInt) -> OpaquePointer?
    typealias Free = @convention(c) (OpaquePointer?) -> Void
    typealias Bound = @convention(c) (OpaquePointer?, Int) -> Int
    typealias Compress =
        @convention(c) (
            OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?, Int
        ) -> Int
    typealias CRC32 = @convention(c) (UInt32, UnsafeRawPointer?, Int) -> UInt32

    let alloc: Alloc
    let free: Free
    /// Most bytes that `compress` makes of an input of this size.
    let bound: Bound
    /// Gives the number of bytes made; 0 when they do not fit.
    let compress: Compress
    let crc32: CRC32
}
