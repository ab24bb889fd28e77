// Pages for what a run needs and nothing of which outlives it.

#include "internal.h"
#include <sys/mman.h>

void *seam_map_pages(size_t bytes) {
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        fprintf(stderr, "windkanal: no memory for %zu bytes of events\n", bytes);
        abort();
    }
    return pages;
}

void seam_unmap_pages(void *pages, size_t bytes) { munmap(pages, bytes); }
