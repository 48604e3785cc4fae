/* Preloaded: lets libcamera's virtual pipeline work on a kernel without /dev/udmabuf. The buffers stay the plain memory
 * files that libcamera made, which a processor can map, though no device can. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#define OPENS(name)                                                              \
    int name(const char *path, int flags, ...)                                   \
    {                                                                            \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);           \
        va_list rest;                                                            \
        va_start(rest, flags);                                                   \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                            \
        if (path && strcmp(path, "/dev/udmabuf") == 0)                           \
            path = "/dev/null";                                                  \
        return real(path, flags, mode);                                          \
    }
OPENS(open)
OPENS(open64)

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (request == UDMABUF_CREATE)
        return fcntl(((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
    if (request == DMA_BUF_IOCTL_SYNC)
        return 0;
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    return real(descriptor, request, argument);
}
