import Faults
import NIOCore
import SimulationKernel

/// A flow whose link has toxics: what is sent goes through their chain first.
extension Flow {
    func makeChain() {
        chain = freshChain()
        drainChain()
    }

    private func freshChain() -> ToxicChain {
        let random = world.stream("network/toxics \(link.source)→\(link.target) \(number)")
        return ToxicChain(link.toxics, random: random, now: world.nanoseconds)
    }

    func setToxic(_ toxic: Toxic, isNew: Bool) {
        guard chain != nil else { return makeChain() }
        if isNew {
            chain?.add(toxic, at: world.nanoseconds)
        } else {
            chain?.update(toxic, at: world.nanoseconds)
        }
        drainChain()
    }

    func removeToxic(_ name: String) {
        chain?.remove(name, at: world.nanoseconds)
        drainChain()
    }

    func sendThroughChain(_ item: ToxicItem) {
        chain?.receive(item, at: world.nanoseconds)
        drainChain()
    }

    /// Sends what has left the chain and asks to be woken for the next.
    private func drainChain() {
        while let item = chain?.take(at: world.nanoseconds) {
            guard !isSevered else { continue }
            switch item {
            case .data(let buffer): pushData(buffer)
            case .end: push(.end)
            case .close where !sender.wasEstablished:
                // A proxy's toxics begin with the connection: before it is there, there is nothing to be closed.
                chain = freshChain()
            case .close:
                isSevered = true
                push(.end)
                // The other direction ends behind what it holds.
                receiver.finish()
            case .reset:
                isSevered = true
                sendReset()
                sender.fail(.reset)
            }
        }
        // What a toxic dropped makes room.
        tellOfRoom()
        if let event = chainWake { world.cancel(event) }
        chainWake = nil
        guard let next = chain?.nextWake else { return }
        chainWake = world.schedule(at: next) { [self] _ in
            chainWake = nil
            drainChain()
            sender.retireIfFinished()
        }
    }
}
