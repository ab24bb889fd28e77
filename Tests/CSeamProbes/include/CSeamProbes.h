/// Ways to leave a simulation that Swift cannot write down: what C and C++ code does.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// Tries a way by its name; null when what it answered is what a strict run answers, else what was wrong.
const char *seam_probe(const char *name);
/// The n-th name; null when there are no more.
const char *seam_probe_names(long number);
/// The file of a loaded library that has a symbol; null when none has.
const char *library_with(const char *symbol);
/// The seconds since the machine began, as sysinfo has it.
long uptime_of_sysinfo(void);
/// On a new thread, calls interposed functions as the last of its thread-local values goes, when a sanitizer knows the thread no
/// more; how many calls there were.
long calls_at_thread_end(long count);
