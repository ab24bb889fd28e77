// Installs the executors before main, when no other thread can be reading the runtime's variables that hold them.

#include "internal.h"

/// Defined in Swift, in SimulationKernel/Execution; absent in a program that links the seam alone.
__attribute__((weak)) extern void windkanal_install_executors(void);

__attribute__((constructor)) static void install(void) {
    if (windkanal_install_executors != NULL) windkanal_install_executors();
}
