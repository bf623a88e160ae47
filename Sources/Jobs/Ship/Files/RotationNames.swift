// Which names the rotated forms of a log have: `drupal.log.1`, `drupal.log-20261127.gz`, and with logrotate's
// `extension`: `drupal-20261127.log`. Pure.

enum RotationNames {
    /// What gzip's own files end with; other compressions cannot be read.
    static let gzipSuffix = ".gz"
    static let unreadableSuffixes = [".bz2", ".xz", ".zst", ".zip", ".lz4", ".lzma", ".Z"]

    static func isCompressed(_ name: String) -> Bool {
        name.hasSuffix(gzipSuffix) || unreadableSuffixes.contains(where: name.hasSuffix)
    }

    /// The name without a suffix of compression.
    static func uncompressed(_ name: String) -> String {
        for suffix in [gzipSuffix] + unreadableSuffixes where name.hasSuffix(suffix) {
            return String(name.dropLast(suffix.count))
        }
        return name
    }

    /// True when `name` is what rotation makes of `base`: the base name, a separator, and a number, a date or `old`.
    static func isRotation(_ name: String, of base: String) -> Bool {
        let plain = uncompressed(name)
        if plain.hasPrefix(base) { return isMark(plain.dropFirst(base.count)) }
        guard let dot = base.lastIndex(of: "."), dot != base.startIndex else { return false }
        let (stem, fileExtension) = (base[..<dot], base[dot...])
        guard plain.hasPrefix(stem), plain.hasSuffix(fileExtension), plain.utf8.count > base.utf8.count else {
            return false
        }
        return isMark(plain.dropFirst(stem.count).dropLast(fileExtension.count))
    }

    /// The name before rotation: `drupal.log` for `drupal.log.1.gz`; nil for a name without such a mark.
    static func base(of name: String) -> String? {
        let plain = uncompressed(name)
        for (place, character) in zip(plain.indices, plain)
        where ".-_~".contains(character) && place != plain.startIndex {
            if isMark(plain[place...]) { return String(plain[..<place]) }
            guard let dot = plain.lastIndex(of: "."), dot > place, isMark(plain[place..<dot]) else { continue }
            return String(plain[..<place] + plain[dot...])
        }
        return nil
    }

    /// `.1`, `-20261127`, `-2026-11-27T10:00`, `.old`.
    private static func isMark(_ mark: Substring) -> Bool {
        guard let separator = mark.first, ".-_~".contains(separator) else { return false }
        let rest = mark.dropFirst()
        if rest == "old" { return true }
        return rest.contains(where: isDigit) && rest.allSatisfy { isDigit($0) || ".-_T:Z+".contains($0) }
    }

    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }
}
