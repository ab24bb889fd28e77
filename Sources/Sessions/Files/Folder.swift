public import Activities
import Glibc

/// Folders, without Foundation.
public enum Folder {
    /// The names of what is in a folder, sorted by their bytes.
    ///
    /// - Throws: `FileError` when it cannot be read.
    public static func names(in path: String) throws(FileError) -> [String] {
        guard let folder = unsafe opendir(path) else { throw FileError(path, errno) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a folder, and those around it, unless they are there.
    ///
    /// - Throws: `FileError` for the first that cannot be made.
    public static func make(_ path: String) throws(FileError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            guard unsafe mkdir(made, 0o755) == 0 || errno == EEXIST else { throw FileError(path, errno) }
        }
    }

    /// Does something while others who ask for the same lock wait.
    ///
    /// - Parameters:
    ///   - path: The folder that is locked.
    ///   - body: What is done.
    /// - Returns: What `body` returns.
    /// - Throws: `FileError` when the folder cannot be opened; what `body` throws.
    public static func withLock<Result>(of path: String, _ body: () throws -> Result) throws -> Result {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, errno) }
        defer { close(descriptor) }
        // A file system without locks is no reason to do nothing.
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
        return try body()
    }
}
