import Documents
import Glibc

/// The rules of a place's time, from the machine's time zone database (RFC 8536).
public struct ZoneRules: Hashable, Sendable {
    /// The name of the place.
    public let name: String
    /// Moments from which on another offset counts, in seconds since 1970, and the offsets, in seconds east of UTC.
    private let transitions: [Transition]
    private let firstOffset: Int
    /// What counts behind the last of them.
    private let rule: YearlyRule?

    private struct Transition: Hashable {
        let moment: Int64
        let offset: Int
    }

    /// The largest file that is read.
    private static let bytesMax: Int = 1 << 20

    /// Looks a place up; nil if the machine does not know it.
    init?(named name: String) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isName =
            !parts.isEmpty
            && parts.allSatisfy { part in
                part.first?.isLetter ?? false
                    && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-+".contains($0)) }
            }
        guard isName, let bytes = Self.file("/usr/share/zoneinfo/\(name)") else { return nil }
        self.init(name: name, file: bytes)
    }

    private static func file(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < bytesMax {
            var piece = [UInt8](repeating: 0, count: 16_384)
            let count = unsafe read(descriptor, &piece, piece.count)
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += piece.prefix(count)
        }
        return nil
    }

    /// Reads a file of the database; nil if it is none.
    init?(name: String, file: [UInt8]) {
        self.name = name
        guard let first = ZoneFileBlock(file[...], timeBytes: 4) else { return nil }
        // From the second version on, the times that count have eight bytes and stand behind the first block.
        let block: ZoneFileBlock
        var footer = ""
        if first.version >= UInt8(ascii: "2") {
            guard let second = ZoneFileBlock(first.rest, timeBytes: 8) else { return nil }
            block = second
            footer = String(decoding: second.rest.dropFirst().prefix { $0 != 0x0a }, as: UTF8.self)
        } else {
            block = first
        }
        guard let firstOffset = block.offsets.first else { return nil }
        self.firstOffset = firstOffset
        transitions = zip(block.moments, block.kinds).compactMap { moment, kind in
            kind < block.offsets.count ? Transition(moment: moment, offset: block.offsets[kind]) : nil
        }
        rule = YearlyRule(footer)
    }

    /// The offset at a moment, in seconds east of UTC.
    func offset(at moment: Int64) -> Int {
        if let last = transitions.last, moment >= last.moment, let rule { return rule.offset(at: moment) }
        if transitions.isEmpty, let rule { return rule.offset(at: moment) }
        return transitions.last { $0.moment <= moment }?.offset ?? firstOffset
    }

    /// The moments at which a clock there shows a time, in order; one that no clock shows is that of the clock before it was set.
    func moments(ofLocal local: Int64) -> [Int64] {
        let day: Int64 = 86_400
        let (before, after) = (offset(at: local - day), offset(at: local + day))
        let candidates = Set([local - Int64(before), local - Int64(after)]).sorted()
        let shown = candidates.filter { $0 + Int64(offset(at: $0)) == local }
        return shown.isEmpty ? [local - Int64(before)] : shown
    }
}

/// The part of a file that has times of one length.
private struct ZoneFileBlock {
    let version: UInt8
    let moments: [Int64]
    let kinds: [Int]
    let offsets: [Int]
    let rest: ArraySlice<UInt8>

    private static let headerBytes: Int = 44

    init?(_ bytes: ArraySlice<UInt8>, timeBytes: Int) {
        guard bytes.count >= Self.headerBytes, bytes.starts(with: "TZif".utf8) else { return nil }
        version = bytes[bytes.startIndex + 4]
        let start = bytes.startIndex
        func number(_ place: Int, _ count: Int) -> Int64 {
            var value: UInt64 = bytes[place] & 0x80 == 0 ? 0 : UInt64.max
            for index in 0..<count { value = value << 8 | UInt64(bytes[place + index]) }
            return Int64(bitPattern: value)
        }
        let counts = (0..<6).map { Int(number(start + 20 + $0 * 4, 4)) }
        guard counts.allSatisfy({ (0...1 << 16).contains($0) }) else { return nil }
        let (utc, standard, leaps, times, types, characters) =
            (counts[0], counts[1], counts[2], counts[3], counts[4], counts[5])
        let momentsStart = start + Self.headerBytes
        let kindsStart = momentsStart + times * timeBytes
        let typesStart = kindsStart + times
        let end = typesStart + types * 6 + characters + leaps * (timeBytes + 4) + standard + utc
        guard end <= bytes.endIndex else { return nil }
        moments = (0..<times).map { number(momentsStart + $0 * timeBytes, timeBytes) }
        kinds = (0..<times).map { Int(bytes[kindsStart + $0]) }
        offsets = (0..<types).map { Int(number(typesStart + $0 * 6, 4)) }
        rest = bytes[end...]
    }
}
