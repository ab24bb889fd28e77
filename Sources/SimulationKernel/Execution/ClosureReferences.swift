import CSystemSeam

/// The references to a closure that must not outlive its scope, of which tasks that were abandoned keep some.
///
/// A run that ends in a deadlock leaves tasks behind that nobody can end. They never run again, so what they hold is never used
/// and never let go of; yet `withoutActuallyEscaping` takes each reference for an escape and ends the process. Here the references
/// of such tasks are given back for them, which they will not do.
@safe
package struct ClosureReferences {
    /// An async closure without parameters; by itself it would be wrapped in another one to be looked at.
    private struct Holder {
        let closure: @concurrent @Sendable () async throws -> Void
    }

    private let context: UnsafeMutableRawPointer?

    /// Remembers a closure that only its scope knows.
    package init(_ closure: @escaping @concurrent @Sendable () async throws -> Void) {
        // A closure is a function and its context.
        let words = unsafe unsafeBitCast(Holder(closure: closure), to: (UInt, UInt).self)
        unsafe context = UnsafeMutableRawPointer(bitPattern: words.1)
    }

    /// Gives back all references but the scope's own, for tasks that can no longer do it.
    ///
    /// - Precondition: Nothing that still runs holds the closure.
    package func dropThoseOfAbandonedTasks() {
        guard let context = unsafe context else { return }
        while unsafe seam_retain_count(context) > 1 { unsafe seam_release(context) }
    }
}
