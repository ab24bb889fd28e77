import Glibc

/// How wide a terminal is.
public enum TerminalSize {
    /// The columns of a channel's terminal, else what `COLUMNS` says; nil if nobody knows.
    public static func columns(of descriptor: Int32, environment: [String: String]) -> Int? {
        var size = winsize()
        if unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return environment["COLUMNS"].flatMap(Int.init)
    }
}
