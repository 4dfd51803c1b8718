/*
 * Preloaded into a process to show it the time that a test has set: see clock.py. A time of 0 means
 * the real time. The file is mapped, so the process sees a change at once.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile struct {
    int64_t realtime, monotonic;
} *set;

__attribute__((constructor)) static void map(void) {
    const char *path = getenv("RDSIGN_TEST_CLOCK");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof *set, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        set = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int64_t now = 0;
    if (set != NULL && clock == CLOCK_REALTIME)
        now = set->realtime;
    if (set != NULL && clock == CLOCK_MONOTONIC)
        now = set->monotonic;
    if (now == 0)
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = now / 1000000000;
    time->tv_nsec = now % 1000000000;
    return 0;
}
