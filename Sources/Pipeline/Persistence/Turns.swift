/// Lets the callers of an actor go one after the other through something that waits in the middle; first come, first served.
///
/// Touched by its actor only.
final class Turns {
    private let waitingMax: Int
    private var isTaken: Bool = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// As many may wait as is said.
    init(waitingMax: Int) {
        self.waitingMax = waitingMax
    }

    /// Waits for a turn, which is to be given back; false, at once, if too many wait.
    func take() async -> Bool {
        guard isTaken else {
            isTaken = true
            return true
        }
        guard waiting.count < waitingMax else { return false }
        await withCheckedContinuation { waiting.append($0) }
        return true
    }

    /// Lets the next one go.
    func give() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
