import Glibc

/// What journals say of the machine.
package enum Machine {
    /// The machine's kind, as Python's `platform.platform()` spells it.
    package static var platform: String {
        let (system, release, machine, _) = names
        return "\(system)-\(release)-\(machine)-with-\(libraryVersion)"
    }

    /// The C library's name and version, as in `glibc2.36`.
    private static var libraryVersion: String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = unsafe confstr(Int32(_CS_GNU_LIBC_VERSION), &buffer, buffer.count)
        let text = String(decoding: buffer.prefix(max(0, count - 1)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.filter { $0 != " " }
    }

    /// The machine's name.
    static var node: String { names.node }

    /// Time since 1970-01-01 00:00 UTC.
    package static var wallTime: Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static var names: (system: String, release: String, machine: String, node: String) {
        var names = utsname()
        _ = unsafe uname(&names)
        func text<Field>(_ field: Field) -> String {
            unsafe withUnsafeBytes(of: field) { String(decoding: unsafe Array($0.prefix { $0 != 0 }), as: UTF8.self) }
        }
        return (text(names.sysname), text(names.release), text(names.machine), text(names.nodename))
    }
}
