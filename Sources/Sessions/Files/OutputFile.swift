public import Activities
import Glibc

/// A file that will be written as a whole: whoever looks at it sees what was there before, or all of what is there now.
///
/// That it can be written is found out at the beginning, before anything else is done.
public struct OutputFile: Sendable {
    /// The path as it was given.
    public let path: String
    /// The file that takes the present one's place; nil where nothing can: a device, a pipe.
    private let target: String?

    /// Looks whether a file can be written, and leaves everything as it is.
    ///
    /// - Throws: `FileError` if not.
    public init(_ path: String) throws(FileError) {
        self.path = path
        guard !path.isEmpty else { throw FileError("the name of the file to write is empty") }
        var information = stat()
        let exists = unsafe stat(path, &information) == 0
        if exists, information.st_mode & S_IFMT == S_IFDIR { throw FileError(path, EISDIR) }
        let isRegular = !exists || information.st_mode & S_IFMT == S_IFREG
        guard isRegular, !path.hasPrefix("/dev/"), !path.hasPrefix("/proc/") else {
            target = nil
            try Self.checkDevice(path, information.st_mode)
            return
        }
        // Through a link, to the file itself.
        let file = exists ? Self.resolved(path) : path
        if exists, unsafe access(file, W_OK) != 0 { throw FileError(path, errno) }
        let code = Self.tryFolder(of: file)
        if code == 0 {
            target = file
        } else if exists {
            // The folder takes no new file, but this one can be written anew.
            target = nil
        } else {
            throw FileError(path, code)
        }
    }

    private static func checkDevice(_ path: String, _ mode: mode_t) throws(FileError) {
        guard unsafe access(path, W_OK) == 0 else { throw FileError(path, errno) }
        // Opening a pipe would wait for its reader; a terminal needs no trial.
        guard mode & S_IFMT == S_IFCHR else { return }
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw FileError(path, errno) }
        defer { close(descriptor) }
        // A device such as /dev/full says only when it is written to that it takes nothing; blanks mean nothing in JSON.
        guard isatty(descriptor) == 0 else { return }
        guard Files.writeAll([UInt8(ascii: "\n")], to: descriptor) else { throw FileError(path, errno) }
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// 0 if a file can be made beside another, otherwise the error's number.
    private static func tryFolder(of file: String) -> Int32 {
        let name = temporaryName(file)
        let descriptor = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return errno }
        close(descriptor)
        unsafe unlink(name)
        return 0
    }

    private static func temporaryName(_ file: String) -> String { "\(file).\(getpid()).new" }

    /// Writes the file.
    ///
    /// - Throws: `FileError`; then a file that was there is as it was.
    public func write(_ text: String) throws(FileError) {
        guard let target else { return try Files.write(text, to: path) }
        let name = Self.temporaryName(target)
        let mode = Self.mode(of: target)
        let descriptor = unsafe open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode ?? 0o644)
        guard descriptor >= 0 else { throw FileError(path, errno) }
        if let mode { fchmod(descriptor, mode) }
        let isWritten = Files.writeAll(Array(text.utf8), to: descriptor)
        let code = errno
        // Some file systems say only now that there is no room.
        let isClosed = close(descriptor) == 0
        if isWritten, isClosed, unsafe rename(name, target) == 0 { return }
        let problem = FileError(path, isWritten ? errno : code)
        unsafe unlink(name)
        throw problem
    }

    private static func mode(of file: String) -> mode_t? {
        var information = stat()
        return unsafe stat(file, &information) == 0 ? information.st_mode & 0o7777 : nil
    }
}
