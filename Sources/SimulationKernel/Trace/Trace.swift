/// The decisions of a run: folded always, kept where asked for.
struct Trace {
    private(set) var digest: TraceDigest = TraceDigest()
    private(set) var count: Int = 0
    private(set) var recording: TraceRecording?

    init(limits: TraceRecording.Limits?) {
        recording = limits.map(TraceRecording.init(limits:))
    }

    /// Folds one decision.
    @inline(__always)
    mutating func fold(
        _ kind: TraceKind, time: UInt64, incarnation: UInt32, _ first: UInt64, _ second: UInt64, contents: UInt64,
        text: String?
    ) {
        digest.fold(time, kind.code &+ UInt64(incarnation))
        digest.fold(first, second)
        if contents != 0 { digest.fold(contents, kind.code) }
        if let text { digest.fold(text) }
        count += 1
    }

    /// The recording with a last line that tells what it all comes to: two runs that part after the limit differ there.
    func closedRecording(time: UInt64) -> TraceRecording? {
        guard var closed = recording else { return nil }
        closed.close(number: count, time: time, digest: digest)
        return closed
    }

    /// Keeps the decision that was folded last.
    mutating func keep(
        _ kind: TraceKind, time: UInt64, host: String, _ first: UInt64, _ second: UInt64, contents: UInt64,
        text: String?
    ) {
        recording?.append(
            number: count - 1, time: time, host: host, kind: kind, first: first, second: second, contents: contents,
            text: text)
    }
}
