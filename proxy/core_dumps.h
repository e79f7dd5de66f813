/* Core dumps of this process, which would write what is in memory, keys and
 * passwords too, to a disk. For the main thread, before there are others. */
#ifndef PROXY_CORE_DUMPS_H
#define PROXY_CORE_DUMPS_H

/* 0, or -1: the system does not let it. */
int core_dumps_forbid(void);
/* As large as the hard limit lets them be. 0, or -1: that lets none be. */
int core_dumps_allow(void);

#endif
