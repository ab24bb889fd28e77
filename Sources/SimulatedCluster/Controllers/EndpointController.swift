import SimulationKernel

/// Keeps the endpoints of each service: the pods that its selector matches, and how they are.
final class EndpointController {
    private unowned let cluster: Cluster
    private var services: [UID: Work] = [:]

    /// What is known of a service's endpoints, and the pods to look at.
    private final class Work {
        let service: Record<Service>
        var endpoints: KeyedList<UID, PodEndpoint> = KeyedList()
        var changed: KeyedList<UID, Record<Pod>> = KeyedList()
        var isPlanned: Bool = false
        var slice: Record<EndpointSlice>?

        init(_ service: Record<Service>) { self.service = service }
    }

    init(_ cluster: Cluster) { self.cluster = cluster }

    func start() {
        for service in cluster.store.services.all.elements { serviceChanged(service) }
        // Slices whose service went meanwhile go, too.
        for slice in cluster.store.endpointSlices.all.elements where cluster.store.services[slice.key] == nil {
            cluster.store.remove(slice, from: cluster.store.endpointSlices)
        }
    }

    func stop() { services = [:] }

    func serviceChanged(_ service: Record<Service>) {
        guard cluster.controlPlane.areControllersRunning else { return }
        guard service.isStored else {
            services[service.uid] = nil
            cluster.controlPlane.after(cluster.apiLatency()) { [unowned self] in
                guard let slice = cluster.store.endpointSlices[service.key],
                    cluster.store.services[service.key] == nil
                else { return }
                cluster.store.remove(slice, from: cluster.store.endpointSlices)
            }
            return
        }
        let work = Work(service)
        services[service.uid] = work
        let metadata = service.value.metadata
        for pod in cluster.indexes.pods(in: metadata.namespace, matching: service.value.selector) {
            work.changed.set(pod, for: pod.uid)
        }
        plan(work)
    }

    func podChanged(_ pod: Record<Pod>, of service: Record<Service>) {
        guard cluster.controlPlane.areControllersRunning, let work = services[service.uid] else { return }
        work.changed.set(pod, for: pod.uid)
        plan(work)
    }

    private func plan(_ work: Work) {
        guard !work.isPlanned else { return }
        work.isPlanned = true
        let delay = cluster.apiLatency() + cluster.settings.endpointUpdatesBatchPeriod
        cluster.controlPlane.after(delay) { [unowned self] in
            work.isPlanned = false
            reconcile(work)
        }
    }

    private func reconcile(_ work: Work) {
        // Its selector may have changed since.
        guard work.service.isStored, services[work.service.uid] === work else { return }
        for pod in work.changed.elements { update(pod, in: work) }
        work.changed.removeAll()
        let endpoints = work.endpoints.elements
        guard let slice = work.slice ?? cluster.store.endpointSlices[work.service.key] else {
            var slice = EndpointSlice(
                metadata: Metadata(work.service.value.name, namespace: work.service.value.metadata.namespace))
            slice.endpoints = endpoints
            work.slice = cluster.store.add(slice, to: cluster.store.endpointSlices)
            return
        }
        work.slice = slice
        guard slice.value.endpoints != endpoints else { return }
        cluster.store.update(slice, in: cluster.store.endpointSlices) { $0.endpoints = endpoints }
    }

    private func update(_ record: Record<Pod>, in work: Work) {
        let pod = record.value
        let isKept = cluster.settings.mistakes.contains(.endpointNeverRemoved) && work.endpoints.contains(record.uid)
        guard record.isStored, !pod.isFinished, let ip = pod.ip, pod.nodeName != nil else {
            if !isKept { work.endpoints.remove(record.uid) }
            return
        }
        if isKept, !pod.isReady || pod.metadata.isTerminating { return }
        work.endpoints.set(cluster.endpoint(of: pod, ip: ip), for: record.uid)
    }
}
