import Activities
import Glibc

/// Which build of the command it was that ran.
public enum BuildIdentity {
    #if DEBUG
    private static let configuration = "debug"
    #else
    private static let configuration = "release"
    #endif

    /// The version, the configuration, and a number that follows from every byte of the program.
    public static func text(version: String) -> String {
        "\(version) \(configuration)\(programHash.map { " \($0)" } ?? "")"
    }

    /// 64 bits of FNV-1a over the program's words, as hexadecimal digits; nil if it cannot be read.
    private static var programHash: String? {
        let descriptor = unsafe open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        while let piece = Files.readPiece(descriptor), !piece.isEmpty {
            unsafe piece.withUnsafeBytes { bytes in
                var offset = 0
                while offset < bytes.count {
                    var word: UInt64 = 0
                    let end = min(offset + 8, bytes.count)
                    if end - offset == 8 {
                        word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    } else {
                        for index in offset..<end { word = word << 8 | UInt64(unsafe bytes[index]) }
                    }
                    hash = (hash ^ word) &* 0x100_0000_01b3
                    offset = end
                }
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
