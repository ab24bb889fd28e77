// A trap in tested code ends the process, in a release build without a word. Before it does: who it was, where, and of which
// seed, so that it can be repeated.

#include "internal.h"
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static struct sigaction previous_trap, previous_illegal;

/// What is said of code that cannot work in a simulation, by a part of the name of a function that was running.
static const struct {
    const char *function, *remedy;
} remedies[] = {
    {"ServerBootstrap", "NIO's bootstraps take NIO's own event loops only: listen with ports.listen"},
    {"ClientBootstrap", "NIO's bootstraps take NIO's own event loops only: connect with ports.dial"},
    {"HTTPClient", "async-http-client takes NIO's own event loops only: use HTTPClient of the HTTP library, over ports"},
    {"AsyncHTTPClient", "async-http-client takes NIO's own event loops only: use HTTPClient of the HTTP library, over ports"},
};

static void tell(seam_context *context) {
    void *found[SEAM_STACK_DEPTH];
    int count = backtrace(found, SEAM_STACK_DEPTH);
    fprintf(
        stderr, "windkanal: tested code trapped, seed %llu, virtual time %.9f s\n", (unsigned long long)context->seed,
        (double)context->now / 1e9
    );
    const char *remedy = NULL;
    enum { SHOWN_MAX = 8 };
    int shown = 0;
    for (int i = 0; i < count && shown < SHOWN_MAX; i++) {
        const char *name = seam_symbol((uintptr_t)found[i] - 1);
        if (name == NULL || strncmp(name, "$s", 2) != 0 || strncmp(name, "$s16SimulationKernel", 20) == 0) continue;
        char *readable = seam_demangle(name);
        fprintf(stderr, "  in %s\n", readable != NULL ? readable : name);
        for (size_t j = 0; j < sizeof remedies / sizeof *remedies && remedy == NULL; j++) {
            if (readable != NULL && strstr(readable, remedies[j].function) != NULL) remedy = remedies[j].remedy;
        }
        free(readable);
        shown += 1;
    }
    if (remedy != NULL) fprintf(stderr, "windkanal: %s\n", remedy);
    fflush(stderr);
}

static void on_trap(int number, siginfo_t *info, void *machine) {
    (void)info, (void)machine;
    // Whatever goes wrong from here on is somebody else's to tell.
    sigaction(SIGTRAP, &previous_trap, NULL);
    sigaction(SIGILL, &previous_illegal, NULL);
    seam_context *context = seam_current();
    if (context != NULL) {
        seam_enter(NULL);
        tell(context);
    }
    // The instruction is tried again, now with the handler that was there before.
    (void)number;
}

void seam_install_traps(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGTRAP, &action, &previous_trap);
    sigaction(SIGILL, &action, &previous_illegal);
}
