/// Lets the callers of an actor go one after the other through something that waits in the middle; first come, first served.
///
/// Touched by its actor only.
final class FIFOLock {
    private let waitingMax: Int
    private var isHeld: Bool = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Makes a lock for which so many callers may wait.
    init(waitingMax: Int) {
        self.waitingMax = waitingMax
    }

    /// Waits for the lock, which is to be released; false, at once, if too many wait.
    func acquire() async -> Bool {
        guard isHeld else {
            isHeld = true
            return true
        }
        guard waiting.count < waitingMax else { return false }
        await withCheckedContinuation { waiting.append($0) }
        return true
    }

    /// Hands the lock to who waits longest.
    func release() {
        assert(isHeld, "a lock is released that nobody holds")
        if waiting.isEmpty { isHeld = false } else { waiting.removeFirst().resume() }
    }
}
