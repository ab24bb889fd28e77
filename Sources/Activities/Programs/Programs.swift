import Glibc

/// Finds programs as a shell does.
package struct Programs {
    /// Folders to look in, as `PATH` lists them.
    let path: String
    /// What `~` stands for.
    let home: String?

    package init(environment: [String: String]) {
        path = environment["PATH"] ?? "/bin:/usr/bin"
        home = environment["HOME"]
    }

    /// The file of a program by its name or its path; nil if nothing there can be executed.
    package func locate(_ program: String) -> String? {
        if program.utf8.contains(UInt8(ascii: "/")) { return isExecutable(program) ? program : nil }
        guard !program.isEmpty else { return nil }
        for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
            let file = folder.isEmpty ? program : "\(folder)/\(program)"
            if isExecutable(file) { return file }
        }
        return nil
    }

    /// The path with `~` replaced.
    func expandingHome(_ program: String) -> String {
        guard let home, program == "~" || program.hasPrefix("~/") else { return program }
        return home + program.dropFirst()
    }

    private func isExecutable(_ file: String) -> Bool {
        var information = stat()
        guard unsafe stat(file, &information) == 0, information.st_mode & S_IFMT != S_IFDIR else { return false }
        return unsafe access(file, X_OK) == 0
    }
}
