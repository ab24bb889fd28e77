// The process' kernels, and the jobs that foreign threads hand back to them.

#include "internal.h"
#include <pthread.h>
#include <unistd.h>

typedef struct foreign_job {
    struct foreign_job *next;
    void *job;
    int tag;
    uint64_t detail;
    int depth;
    uintptr_t stack[SEAM_STACK_DEPTH];
} foreign_job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    seam_context *context;
    uint32_t mark;
    foreign_job *first, *last;
} slots[SEAM_KERNELS_MAX];
static uint32_t serial;
static int active;
// A kernel whose code uses the main actor is alone in the process: it waits for the others, and they for it.
static pthread_cond_t alone_changed = PTHREAD_COND_INITIALIZER;
static bool is_alone;
static int waiting_to_be_alone;

// A mark is (serial, slot): a job of an ended kernel never reaches the next one in the same slot.
static int slot_of(uint32_t mark) {
    int slot = (int)(mark & 0xff);
    return slot < SEAM_KERNELS_MAX && slots[slot].context != NULL && slots[slot].mark == mark ? slot : -1;
}

uint32_t seam_register_kernel(seam_context *context, bool alone) {
    uint32_t mark = 0;
    pthread_mutex_lock(&lock);
    if (alone) {
        waiting_to_be_alone += 1;
        while (active > 0) pthread_cond_wait(&alone_changed, &lock);
        waiting_to_be_alone -= 1;
        is_alone = true;
    } else {
        while (is_alone || waiting_to_be_alone > 0) pthread_cond_wait(&alone_changed, &lock);
    }
    for (int slot = 0; slot < SEAM_KERNELS_MAX && mark == 0; slot++) {
        if (slots[slot].context != NULL) continue;
        serial = (serial + 1) & 0xffffff;
        if (serial == 0) serial = 1;
        mark = serial << 8 | (uint32_t)slot;
        slots[slot].context = context;
        slots[slot].mark = mark;
        active += 1;
    }
    pthread_mutex_unlock(&lock);
    return mark;
}

void seam_unregister_kernel(uint32_t mark) {
    pthread_mutex_lock(&lock);
    int slot = slot_of(mark);
    if (slot >= 0) {
        for (foreign_job *entry = slots[slot].first; entry != NULL;) {
            foreign_job *next = entry->next;
            free(entry);
            entry = next;
        }
        slots[slot].first = slots[slot].last = NULL;
        slots[slot].context = NULL;
        active -= 1;
        if (active == 0) is_alone = false;
        pthread_cond_broadcast(&alone_changed);
    }
    pthread_mutex_unlock(&lock);
}

bool seam_on_main_thread(void) { return gettid() == getpid(); }

int seam_active_kernels(void) {
    pthread_mutex_lock(&lock);
    int count = active;
    pthread_mutex_unlock(&lock);
    return count;
}

__attribute__((noinline)) bool seam_foreign_push(uint32_t mark, void *job, int tag, uint64_t detail) {
    foreign_job *entry = calloc(1, sizeof *entry);
    if (entry == NULL) abort();
    entry->job = job;
    entry->tag = tag;
    entry->detail = detail;
    entry->depth = seam_stack(entry->stack, SEAM_STACK_DEPTH);
    pthread_mutex_lock(&lock);
    int slot = slot_of(mark);
    if (slot >= 0) {
        if (slots[slot].last == NULL) slots[slot].first = entry;
        else slots[slot].last->next = entry;
        slots[slot].last = entry;
        __atomic_store_n(&slots[slot].context->attention, true, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    if (slot < 0) free(entry);
    return slot >= 0;
}

bool seam_foreign_pop(uint32_t mark, void **job, int *tag, uint64_t *detail, uintptr_t *stack, int *depth) {
    pthread_mutex_lock(&lock);
    int slot = slot_of(mark);
    foreign_job *entry = slot >= 0 ? slots[slot].first : NULL;
    if (entry != NULL) {
        slots[slot].first = entry->next;
        if (entry->next == NULL) slots[slot].last = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (entry == NULL) return false;
    *job = entry->job;
    *tag = entry->tag;
    *detail = entry->detail;
    *depth = entry->depth;
    for (int i = 0; i < entry->depth; i++) stack[i] = entry->stack[i];
    free(entry);
    return true;
}
