import NIOCore
import SimulationKernel

/// What becomes of a flow's segments where they arrive, and what the receiver tells the sender.
extension Flow {
    func arrive() {
        guard let segment = inFlight.popFirst() else { return }
        switch segment {
        case .data(let buffer):
            guard receiver.isPresent else {
                lose(segment)
                break
            }
            // The client's first data takes the place of an acknowledgement that was lost.
            if receiver.state == .synReceived { receiver.connection?.receiveAcknowledgement() }
            acknowledge()
            receiver.receive(buffer)
        case .end:
            guard receiver.isKnown else {
                lose(segment)
                break
            }
            if receiver.state == .synReceived { receiver.connection?.receiveAcknowledgement() }
            endIsUnacknowledged = true
            acknowledge()
            receiver.receiveEnd()
        case .reset:
            // Before the answer has come, a reset refuses the attempt, as one does that answers it.
            if receiver.state == .synSent { receiver.connection?.endAttemptRefused() } else { receiver.fail(.reset) }
        }
        if inFlight.isEmpty { sender.retireIfFinished() }
    }

    /// What arrived is acknowledged, if the way back lets it; with it, the receiver's own data is.
    @inline(__always)
    private func acknowledge() {
        receiver.outbound?.acknowledged()
        if reverse.isClear { return acknowledged() }
        switch reverse.transmit(bytes: 0, at: world.nanoseconds) {
        case .arrives: acknowledged()
        case .held, .lost: if case .flowing = phase { retransmit(.acknowledgement) }
        }
    }

    /// A segment came to a machine that does not know the connection, or that is down.
    private func lose(_ segment: Segment) {
        // A machine that crashed, or gave the connection up, sends nothing again.
        guard sender.state != .closed else { return }
        if receiver.host.isUp {
            guard !receiver.answerWithReset() else { return }
        }
        guard case .flowing = phase else { return }
        waiting.append(segment)
        retransmit(.data)
    }

    /// The receiver has read so many bytes.
    @inline(__always)
    func consumed(bytes: Int) {
        assert(bytes <= usedBytes, "\(bytes) bytes are read of \(usedBytes) that were sent")
        usedBytes -= bytes
        guard senderWaits, usedBytes <= Self.capacityBytes / 2 else { return }
        senderWaits = false
        sendWindowUpdate()
    }

    /// Tells the sender that there is room, when the news has travelled.
    private func sendWindowUpdate() {
        switch reverse.transmit(bytes: 0, at: world.nanoseconds) {
        case .arrives(let time):
            world.schedule(at: time, argument: number) { [self] _ in sender.notifyWritable() }
        case .held:
            _ = reverse.keep { [self] isReleased in if isReleased { sendWindowUpdate() } else { probeWindow() } }
        case .lost: probeWindow()
        }
    }

    /// The news of room was lost: the sender asks for it.
    private func probeWindow() {
        senderWaits = true
        if case .flowing = phase { retransmit(.window) }
    }

    /// Tells the sender of room that it does not know of.
    func tellOfRoom() {
        guard senderWaits, roomBytes > 0 else { return }
        senderWaits = false
        sender.notifyWritable()
    }
}
