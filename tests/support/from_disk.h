/* Files that are read from the disk for one call. */
#ifndef TESTS_SUPPORT_FROM_DISK_H
#define TESTS_SUPPORT_FROM_DISK_H

#include "config/files.h"

/* What the call gives, in which `disk` stands for the files. */
#define FROM_DISK(call)                                                        \
    __extension__({                                                            \
        struct files *disk = files_from_disk();                                \
        __typeof__(call) given = (call);                                       \
        files_free(disk);                                                      \
        given;                                                                 \
    })

#endif
