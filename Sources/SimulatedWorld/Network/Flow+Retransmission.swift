import SimulationKernel

/// How a flow sends again what nobody answered.
extension Flow {
    /// Begins to send something again, or goes on to.
    func retransmit(_ purpose: Retransmission.Purpose, lost loss: Link.Loss = .cut) {
        assert(purpose != .data || !waiting.isEmpty, "there is nothing to be sent again")
        leavePhase()
        let now = world.nanoseconds
        let since = unansweredSince ?? now
        unansweredSince = since
        var time = nextRetransmission(since: since, after: now)
        if purpose == .data, loss == .fullQueue, let first = waiting.first {
            time = link.retransmissionTurn(bytes: first.bytes, at: now, roundTrip: roundTrip)
            // Others get through: that the queue is full is no sign that nobody answers.
            unansweredSince = nil
        }
        assert(time >= now, "a retransmission at \(time), in the past")
        let timer = world.schedule(at: time, argument: number) { [self] _ in timerFired() }
        phase = .retransmitting(
            Retransmission(purpose: purpose, timer: timer, mayBeHastened: purpose == .data && loss == .chance))
    }

    private func nextRetransmission(since: UInt64, after now: UInt64) -> UInt64 {
        TCPTimings.retransmissions(since: since).first { $0 > now } ?? TCPTimings.timeout(since: since)
    }

    var roundTrip: UInt64 { transit + max(transit, receiver.outbound?.transit ?? 0) }

    /// Enough segments follow a lost one for duplicate acknowledgements to tell of the loss: it is sent again at once.
    func hasten() {
        guard case .retransmitting(var retransmission) = phase, retransmission.mayBeHastened,
            waiting.count > TCPTimings.duplicateAcknowledgements
        else { return }
        world.cancel(retransmission.timer)
        retransmission.mayBeHastened = false
        retransmission.timer = world.schedule(at: world.nanoseconds + roundTrip, argument: number) { [self] _ in
            timerFired()
        }
        phase = .retransmitting(retransmission)
    }

    private func timerFired() {
        guard case .retransmitting(let retransmission) = phase else { return }
        let now = world.nanoseconds
        if let since = unansweredSince, now >= TCPTimings.timeout(since: since) { return sender.fail(.timedOut) }
        phase = .flowing
        guard retransmission.purpose == .data, let first = waiting.popFirst() else {
            return probe(retransmission.purpose)
        }
        let rest = waiting
        waiting.removeAll()
        transmit(first)
        for segment in rest { push(segment) }
    }

    /// Asks for an answer, and asks again if none comes.
    private func probe(_ purpose: Retransmission.Purpose) {
        if case .arrives(let time) = link.transmit(bytes: 0, at: world.nanoseconds) {
            world.schedule(at: time, argument: number) { [self] _ in
                if receiver.isKnown { answerProbe() } else if receiver.host.isUp { _ = receiver.answerWithReset() }
            }
        }
        retransmit(purpose)
    }

    private func answerProbe() {
        guard case .arrives(let time) = reverse.transmit(bytes: 0, at: world.nanoseconds) else { return }
        world.schedule(at: time, argument: number) { [self] _ in
            acknowledged()
            tellOfRoom()
        }
    }

    /// An answer has come: what was sent before has arrived.
    @inline(__always)
    func acknowledged() {
        guard unansweredSince != nil || endIsUnacknowledged else { return }
        noteAcknowledged()
    }

    @inline(never)
    private func noteAcknowledged() {
        unansweredSince = nil
        if case .retransmitting(let retransmission) = phase, retransmission.purpose != .data {
            leavePhase()
            phase = .flowing
            if retransmission.purpose == .window { tellOfRoom() }
        }
        if endIsUnacknowledged {
            endIsUnacknowledged = false
            sender.advance(.endAcknowledged)
        }
    }
}
