/* A disk that fails when told: preloaded into the program under test. While the file DISK_CONTROL exists
   and holds "k n e", the k-th and following n calls (n = 0: all) that write or make durable a file below
   DISK_FOLDER fail with errno e. Counted from the moment at which the file appears. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long counted;

static int fails(int fd) {
    const char *control = getenv("DISK_CONTROL"), *folder = getenv("DISK_FOLDER");
    char link[64], path[4096], text[64];
    if (!control || !folder)
        return 0;
    int told = open(control, O_RDONLY | O_CLOEXEC);
    if (told < 0) {
        __sync_lock_test_and_set(&counted, 0);
        return 0;
    }
    ssize_t length = read(told, text, sizeof text - 1);
    close(told);
    if (length <= 0)
        return 0;
    text[length] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)))
        return 0;
    long first = 0, number = 0;
    int error = EIO;
    sscanf(text, "%ld %ld %d", &first, &number, &error);
    long now = __sync_add_and_fetch(&counted, 1);
    if (now < first || (number && now >= first + number))
        return 0;
    errno = error;
    return 1;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    NEXT(pwrite);
    return fails(fd) ? -1 : next(fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    NEXT(pwrite64);
    return fails(fd) ? -1 : next(fd, from, size, at);
}

int fsync(int fd) {
    NEXT(fsync);
    return fails(fd) ? -1 : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return fails(fd) ? -1 : next(fd);
}

int ftruncate(int fd, off_t size) {
    NEXT(ftruncate);
    return fails(fd) ? -1 : next(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    NEXT(ftruncate64);
    return fails(fd) ? -1 : next(fd, size);
}
