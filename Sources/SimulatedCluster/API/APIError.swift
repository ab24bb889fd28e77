/// Why the API refused a request, by Kubernetes' reasons.
package enum APIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no such object, or none with that uid.
    case notFound(Kind, ObjectKey)
    /// There is one already.
    case alreadyExists(Kind, ObjectKey)
    /// The object was changed since it was read, or its uid is another one.
    case conflict(Kind, ObjectKey)
    /// The namespace is being deleted.
    case forbidden(namespace: String)
    /// The object contradicts itself.
    case invalid(Kind, ObjectKey, String)
    /// The eviction would violate a budget.
    case tooManyRequests(budget: String, healthy: Int, needed: Int)
    /// More than one budget is about the pod.
    case severalBudgets(ObjectKey)
    /// Changes so old are no longer known.
    case expired(resourceVersion: UInt64)
    /// The control plane does not answer.
    case unavailable

    /// The status code of the answer; 0 where there is none.
    package var code: Int {
        switch self {
        case .notFound: 404
        case .alreadyExists, .conflict: 409
        case .forbidden: 403
        case .invalid: 422
        case .tooManyRequests: 429
        case .severalBudgets: 500
        case .expired: 410
        case .unavailable: 0
        }
    }

    /// The reason in Kubernetes' word.
    package var reason: String {
        switch self {
        case .notFound: "NotFound"
        case .alreadyExists: "AlreadyExists"
        case .conflict: "Conflict"
        case .forbidden: "Forbidden"
        case .invalid: "Invalid"
        case .tooManyRequests: "TooManyRequests"
        case .severalBudgets: "InternalError"
        case .expired: "Expired"
        case .unavailable: "ServiceUnavailable"
        }
    }

    package var description: String {
        switch self {
        case .notFound(let kind, let key): "\(kind.rawValue) \"\(key)\" not found"
        case .alreadyExists(let kind, let key): "\(kind.rawValue) \"\(key)\" already exists"
        case .conflict(let kind, let key):
            "\(kind.rawValue) \"\(key)\" was changed since it was read; read it again and repeat the change"
        case .forbidden(let namespace): "namespace \"\(namespace)\" is being terminated: nothing is created in it"
        case .invalid(let kind, let key, let problem): "\(kind.rawValue) \"\(key)\" is invalid: \(problem)"
        case .tooManyRequests(let budget, let healthy, let needed):
            "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget \(budget) needs "
                + "\(needed) healthy pods and has \(healthy) currently"
        case .severalBudgets(let key): "pod \"\(key)\" has more than one disruption budget; eviction allows one"
        case .expired(let version): "resource version \(version) is too old; list again"
        case .unavailable: "the control plane does not answer"
        }
    }
}
