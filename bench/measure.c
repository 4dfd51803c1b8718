/* Runs a program, and prints its CPU time (user plus system) in microseconds and its peak memory in
 * kilobytes:
 *
 *     measure PROGRAM ARGUMENT ...
 *
 * The kernel's peak of a process includes the process that it was started from. So this program is
 * smaller than any that it measures. The program's standard output is discarded. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long long microseconds(struct timeval time) {
    return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int count, char **arguments) {
    struct rusage used;
    int status;
    pid_t child;

    if (count < 2)
        return 2;
    child = vfork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        dup2(nowhere, STDOUT_FILENO);
        execvp(arguments[1], arguments + 1);
        perror(arguments[1]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child)
        return 1;
    printf("%lld %ld\n", microseconds(used.ru_utime) + microseconds(used.ru_stime), used.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
