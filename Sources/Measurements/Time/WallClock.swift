import Glibc

/// The wall clock of the machine that the code runs on; in a simulation, the host's, with its skew.
public enum WallClock {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    public static var milliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
