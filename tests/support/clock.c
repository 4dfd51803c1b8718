/*
 * Preloaded into a process to show it the time that a test has set: see clock.py. A time of 0 means
 * the real time; the real wall clock can be put ahead. The file is mapped, so the process sees a
 * change at once. V8 reads the wall clock by gettimeofday, and OpenSSL by time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static const volatile struct {
    int64_t realtime, monotonic, ahead;
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
    if (now == 0) {
        int status = (int)syscall(SYS_clock_gettime, clock, time);
        if (status != 0 || set == NULL || clock != CLOCK_REALTIME)
            return status;
        now = time->tv_sec * SECOND + time->tv_nsec + set->ahead;
    }
    time->tv_sec = now / SECOND;
    time->tv_nsec = now % SECOND;
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *seconds) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    if (seconds != NULL)
        *seconds = now.tv_sec;
    return now.tv_sec;
}
