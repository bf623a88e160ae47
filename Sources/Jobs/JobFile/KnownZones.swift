import Foundation

/// The zone names of this machine, for "did you mean" only.
func knownZones() -> [String] { TimeZone.knownTimeZoneIdentifiers }
