/// A value at a fixed address: shared with C, or too hot for the exclusivity checks of a class property.
///
/// The kernel's thread is the only one that touches it; who makes it frees it.
@safe
struct Pinned<Value: ~Copyable> {
    let pointer: UnsafeMutablePointer<Value>

    /// Takes the value at an address.
    init(_ pointer: UnsafeMutablePointer<Value>) {
        unsafe self.pointer = unsafe pointer
    }

    /// Moves a value to an address of its own.
    init(making value: consuming Value) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
    }

    var value: Value {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }

    func free() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }
}
