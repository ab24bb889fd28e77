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
            guard let piece = readPiece(descriptor) else { throw FileError(path, errno) }
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= bytesMax else { throw FileError(path, EFBIG) }
        }
    }

    /// Reads what is there of a file or a pipe; nothing at its end, nil with `errno` when it cannot be read.
    package static func readPiece(_ descriptor: Int32) -> [UInt8]? {
        while true {
            var result = 0
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                result = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                count = max(0, result)
            }
            if result >= 0 { return piece }
            guard errno == EINTR else { return nil }
        }
    }

    /// Writes all bytes; false with `errno` when that is impossible.
    package static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Writes a file anew.
    ///
    /// - Throws: ``FileError``.
    public static func write(_ text: String, to path: String) throws(FileError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path, errno) }
        defer { close(descriptor) }
        guard writeAll(Array(text.utf8), to: descriptor) else { throw FileError(path, errno) }
    }

    /// Writes a new file; false if there is one of that name, which stays as it is.
    ///
    /// - Throws: ``FileError``.
    public static func create(_ path: String, _ text: String) throws(FileError) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            if errno == EEXIST { return false }
            throw FileError(path, errno)
        }
        defer { close(descriptor) }
        guard writeAll(Array(text.utf8), to: descriptor) else { throw FileError(path, errno) }
        return true
    }

    /// Goes to a folder, for the whole process.
    ///
    /// - Throws: ``FileError``.
    public static func enter(_ folder: String) throws(FileError) {
        guard unsafe chdir(folder) == 0 else { throw FileError(folder, errno) }
    }

    /// A path from the root on; addresses stay as they are.
    package static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), !path.contains("://") else { return path }
        guard let folder = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(folder) }
        return unsafe String(cString: folder) + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    /// Whether something is there.
    public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

/// Why a file cannot be read or written.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path and the system's words.
    public let description: String

    package init(_ path: String, _ code: Int32) {
        description = unsafe "\(path): \(String(cString: strerror(code)))"
    }

    package init(_ problem: String) { description = problem }
}
