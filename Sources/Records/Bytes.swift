// Slices of the payload. The parsers hand slices around and copy nothing; a slice is valid as long as the call
// that brought the payload.

import Glibc

typealias Bytes = UnsafeRawBufferPointer

extension UnsafeRawBufferPointer {
    static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// The bytes from `from` up to `to`, counted from 0 again.
    @inline(__always)
    func part(_ from: Int, _ to: Int) -> UnsafeRawBufferPointer {
        assert(from >= 0 && from <= to && to <= count, "slice outside its bytes")
        return UnsafeRawBufferPointer(start: baseAddress.map { $0 + from }, count: to &- from)
    }

    /// The bytes from `from` on.
    @inline(__always)
    func part(from: Int) -> UnsafeRawBufferPointer { part(from, count) }

    /// The first place of `byte` at or after `from`; `count` when there is none.
    @inline(__always)
    func place(of byte: UInt8, from: Int) -> Int {
        guard from < count, let base = baseAddress, let hit = memchr(base + from, Int32(byte), count - from) else {
            return count
        }
        return UnsafeRawPointer(hit) - base
    }

    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && begins(with: text, at: 0)
    }

    @inline(__always)
    func begins(with text: StaticString, at i: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard i + length <= count, let base = baseAddress else { return length == 0 }
        return memcmp(base + i, text.utf8Start, length) == 0
    }

    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count > 0, let a = baseAddress, let b = other.baseAddress else { return true }
        return memcmp(a, b, count) == 0
    }

    /// The first place at or after `from` that holds no space.
    @inline(__always)
    func skippingSpaces(from: Int) -> Int {
        var i = from
        while i < count, self[i] == Ascii.space { i &+= 1 }
        return i
    }

    /// True where nothing but line ends, blanks and NULs stands.
    var isBlank: Bool {
        allSatisfy { $0 == Ascii.lineFeed || $0 == Ascii.carriageReturn || $0 == Ascii.space || $0 == 9 || $0 == 0 }
    }
}

enum Ascii {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")
    static let dash = UInt8(ascii: "-")
    static let dot = UInt8(ascii: ".")
    static let slash = UInt8(ascii: "/")
    static let percent = UInt8(ascii: "%")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let less = UInt8(ascii: "<")
    static let greater = UInt8(ascii: ">")

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    @inline(__always) static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20) &- 0x61 < 6
    }
    @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }
}

extension UnsafeRawBufferPointer {
    /// The decimal number that the digits at `i` spell, and the place after them; nil without a digit or beyond
    /// `digitCountMax` digits.
    func number(at i: Int, digitCountMax: Int) -> (value: Int, end: Int)? {
        var value = 0
        var end = i
        while end < count, Ascii.isDigit(self[end]) {
            guard end - i < digitCountMax else { return nil }
            value = value * 10 + Int(self[end] &- 0x30)
            end += 1
        }
        return end > i ? (value, end) : nil
    }
}
