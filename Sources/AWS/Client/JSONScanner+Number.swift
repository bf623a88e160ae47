// Numbers: Kinesis writes times as seconds with a fraction or an exponent (`1.795385468741E9`), so they are read as
// whole digits and a decimal exponent, without rounding through Double.

/// A JSON number: `mantissa` × 10^`exponent`, with the sign in the mantissa.
package struct JSONNumber: Equatable, Sendable {
    package var mantissa: Int64
    package var exponent: Int

    /// The number × 10^`shift`, cut towards zero; nil when it does not fit.
    package func scaled(by shift: Int) -> Int64? {
        var value = mantissa
        var power = exponent + shift
        if value == 0 { return 0 }
        while power > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
            power -= 1
        }
        while power < 0, value != 0 {
            value /= 10
            power += 1
        }
        return value
    }
}

extension JSONScanner {
    /// Digits kept; more are dropped (below the microsecond for any time that Kinesis can mean).
    private static let mantissaMax = Int64(922_337_203_685_477_579)
    private static let exponentMax = 400

    /// Consumes a number (RFC 8259 section 6).
    package mutating func number() throws(JSONFault) -> JSONNumber {
        _ = try peek()
        let isNegative = base[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var mantissa: Int64 = 0
        var exponent = 0
        let first = position
        while let digit = digit() {
            if mantissa < Self.mantissaMax { mantissa = mantissa * 10 + Int64(digit) } else { exponent += 1 }
        }
        guard position > first, position == first + 1 || base[first] != UInt8(ascii: "0") else {
            throw fault("a value")
        }
        if position < end, base[position] == UInt8(ascii: ".") {
            position += 1
            let fraction = position
            while let digit = digit() {
                if mantissa < Self.mantissaMax {
                    mantissa = mantissa * 10 + Int64(digit)
                    exponent -= 1
                }
            }
            guard position > fraction else { throw fault("digits after the point") }
        }
        if position < end, base[position] | 0x20 == UInt8(ascii: "e") {
            exponent += try exponentPart()
        }
        return JSONNumber(mantissa: isNegative ? -mantissa : mantissa, exponent: exponent)
    }

    private mutating func exponentPart() throws(JSONFault) -> Int {
        position += 1
        var isNegative = false
        if position < end, base[position] == UInt8(ascii: "-") || base[position] == UInt8(ascii: "+") {
            isNegative = base[position] == UInt8(ascii: "-")
            position += 1
        }
        let first = position
        var value = 0
        while let digit = digit() { value = min(value * 10 + Int(digit), Self.exponentMax) }
        guard position > first else { throw fault("digits of an exponent") }
        return isNegative ? -value : value
    }

    private mutating func digit() -> UInt8? {
        guard position < end, base[position] &- UInt8(ascii: "0") < 10 else { return nil }
        position += 1
        return base[position - 1] - UInt8(ascii: "0")
    }
}
