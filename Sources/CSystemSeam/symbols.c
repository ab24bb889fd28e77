// Stacks, and the names of functions from the executable's own symbol table.

#include "internal.h"
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/// Whether an address lies in the program itself.
static bool seam_in_program(uintptr_t address);

/// Walks the chain of frame pointers from `frame`; stops where it leaves the stack's order.
static int walk(uintptr_t *frame, uintptr_t *addresses, int capacity) {
    int count = 0;
    while (frame != NULL && count < capacity) {
        if (frame[1] < 4096) break;
        addresses[count++] = frame[1];
        // Swift marks an async frame in the top bits of the saved frame pointer.
        uintptr_t *next = (uintptr_t *)(frame[0] & 0x0fffffffffffffffULL);
        if (next <= frame || (uintptr_t)next - (uintptr_t)frame > (1u << 20) || ((uintptr_t)next & 7) != 0) break;
        frame = next;
    }
    return count;
}

/// The first word on the stack that looks like a return into a Swift function of the program, which is not the kernel's.
__attribute__((no_sanitize("address"))) static uintptr_t first_swift_return(const uintptr_t *stack) {
    enum { WORDS_MAX = 2048 };
    static const char kernel[] = "$s16SimulationKernel";
    for (int i = 0; i < WORDS_MAX; i++) {
        if (!seam_in_program(stack[i])) continue;
        const char *name = seam_symbol(stack[i] - 1);
        // The kernel's are left from earlier calls.
        if (name == NULL || strncmp(name, "$s", 2) != 0 || strncmp(name, kernel, sizeof kernel - 1) == 0) continue;
        return stack[i];
    }
    return 0;
}

__attribute__((noinline)) int seam_stack(uintptr_t *addresses, int capacity) {
    // Unwinding crosses code without frame pointers; it costs microseconds, so it is for failures only.
    enum { OWN = 2 };
    void *found[SEAM_STACK_DEPTH + OWN];
    int count = backtrace(found, capacity + OWN > SEAM_STACK_DEPTH + OWN ? SEAM_STACK_DEPTH + OWN : capacity + OWN);
    // Where unwind information is missing it ends early; the frame pointers may lead further.
    uintptr_t linked[SEAM_STACK_DEPTH];
    int links = walk(__builtin_frame_address(0), linked, SEAM_STACK_DEPTH);
    if (links > count - OWN) {
        int kept = 0;
        // Code without frame pointers leaves its caller's in place: the chain goes on one function too far out.
        uintptr_t skipped = first_swift_return(__builtin_frame_address(0));
        if (skipped != 0 && capacity > 0) addresses[kept++] = skipped;
        for (int i = 0; i < links && kept < capacity; i++) addresses[kept++] = linked[i];
        return kept;
    }
    for (int i = OWN; i < count; i++) addresses[i - OWN] = (uintptr_t)found[i];
    return count > OWN ? count - OWN : 0;
}

__attribute__((noinline)) int seam_task_origin(uintptr_t *addresses, int capacity) {
    seam_context *context = seam_current();
    bool known = context != NULL && context->creator != NULL;
    return walk(known ? context->creator : __builtin_frame_address(0), addresses, capacity);
}

void seam_leak_here(seam_context *context, seam_leak leak) {
    uintptr_t stack[SEAM_STACK_DEPTH];
    int depth = seam_stack(stack, SEAM_STACK_DEPTH);
    context->report_leak(context->kernel, leak, stack, depth);
}

// The executable's symbols: dladdr sees exported ones only, so the file's own table is read once.

static struct {
    const ElfW(Sym) **functions;
    size_t count;
    const char *names;
    uintptr_t base, start, end;
} executable;

static int by_address(const void *left, const void *right) {
    uintptr_t a = (*(const ElfW(Sym) *const *)left)->st_value, b = (*(const ElfW(Sym) *const *)right)->st_value;
    return a < b ? -1 : a > b;
}

static int find_base(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size, (void)data;
    // The executable comes first.
    executable.base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD) continue;
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (executable.start == 0 || start < executable.start) executable.start = start;
        if (start + header->p_memsz > executable.end) executable.end = start + header->p_memsz;
    }
    return 1;
}

static void load_symbols(void) {
    dl_iterate_phdr(find_base, NULL);
    int file = SEAM_REAL(open)("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat status;
    char *image = MAP_FAILED;
    if (fstat(file, &status) == 0) image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    SEAM_REAL(close)(file);
    if (image == MAP_FAILED) return;
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)image;
    const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(image + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        const ElfW(Sym) *symbols = (const ElfW(Sym) *)(image + sections[i].sh_offset);
        size_t count = sections[i].sh_size / sizeof(ElfW(Sym));
        executable.names = image + sections[sections[i].sh_link].sh_offset;
        executable.functions = calloc(count + 1, sizeof(ElfW(Sym) *));
        if (executable.functions == NULL) return;
        for (size_t j = 0; j < count; j++) {
            if (ELF64_ST_TYPE(symbols[j].st_info) == STT_FUNC && symbols[j].st_size > 0)
                executable.functions[executable.count++] = &symbols[j];
        }
        qsort(executable.functions, executable.count, sizeof(ElfW(Sym) *), by_address);
    }
}

static void load_symbols_once(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_symbols);
}

static bool seam_in_program(uintptr_t address) {
    load_symbols_once();
    return address >= executable.start && address < executable.end;
}

const char *seam_symbol(uintptr_t address) {
    load_symbols_once();
    if (address >= executable.start && address < executable.end) {
        uintptr_t offset = address - executable.base;
        // The last function that begins at or before the address.
        size_t low = 0, high = executable.count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (executable.functions[middle]->st_value <= offset) low = middle + 1;
            else high = middle;
        }
        if (low == 0) return NULL;
        const ElfW(Sym) *symbol = executable.functions[low - 1];
        if (offset < symbol->st_value + symbol->st_size) return executable.names + symbol->st_name;
        return NULL;
    }
    Dl_info info;
    return dladdr((void *)address, &info) != 0 ? info.dli_sname : NULL;
}

extern char *swift_demangle(const char *name, size_t length, char *output, size_t *size, uint32_t flags);

char *seam_demangle(const char *mangled) { return swift_demangle(mangled, strlen(mangled), NULL, NULL, 0); }

void seam_free(void *memory) { free(memory); }
