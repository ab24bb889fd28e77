import Glibc

/// Files as bytes, without Foundation: a trivial experiment must not pay for it.
public enum Files {
    /// The largest file that is read.
    public static let bytesMax: Int = 64 << 20

    /// Reads a file.
    ///
    /// - Throws: ``FileError``.
    public static func read(_ path: String) throws(FileError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                unsafe count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
            }
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= bytesMax else { throw FileError(path, EFBIG) }
        }
    }

    /// Writes a file anew.
    ///
    /// - Throws: ``FileError``.
    public static func write(_ text: String, to path: String) throws(FileError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path, errno) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw FileError(path, errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Whether something is there.
    public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

/// Why a file cannot be read or written.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path and the system's words.
    public let description: String

    init(_ path: String, _ code: Int32) {
        description = unsafe "\(path): \(String(cString: strerror(code)))"
    }
}
