import Glibc

/// Small files under a folder, without Foundation.
enum KeptFiles {
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Reads a file; nil with `errno` when that is impossible.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            var count = 0
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
                count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                filled = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += piece
        }
    }

    /// Writes a file whole or not at all, and makes its folders; false with `errno` when that is impossible.
    static func write(_ text: String, to path: String) -> Bool {
        guard let slash = path.lastIndex(of: "/"), makeFolders(String(path[..<slash])) else { return false }
        // Several processes of one test run may write at once: each its own file, of which the last stays.
        let draft = "\(path).\(getpid())"
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                close(descriptor)
                remove(draft)
                return false
            }
            rest = rest.dropFirst(count)
        }
        close(descriptor)
        return unsafe rename(draft, path) == 0
    }

    static func remove(_ path: String) { unsafe unlink(path) }

    private static func makeFolders(_ path: String) -> Bool {
        guard !path.isEmpty, !exists(path) else { return true }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            guard makeFolders(String(path[..<slash])) else { return false }
        }
        return unsafe mkdir(path, 0o755) == 0 || errno == EEXIST
    }

    /// A name that every file system takes: letters, digits and hyphens.
    static func fileName(_ text: String) -> String {
        var name = ""
        for character in text {
            if character.isASCII, character.isLetter || character.isNumber {
                name.append(character)
            } else if name.last != "-", !name.isEmpty {
                name.append("-")
            }
        }
        if name.last == "-" { name.removeLast() }
        return String(name.prefix(60))
    }

    /// What the last call that failed had against it.
    static var problem: String { unsafe String(cString: strerror(errno)) }
}
