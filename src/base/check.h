/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CHECK: a condition that only a mistake of ours can break. Always on, without side effects.
 *
 * Never on outside input: a bad byte is an enum err, a bad pointer is a CHECK.
 */
#ifndef LODGE_BASE_CHECK_H
#define LODGE_BASE_CHECK_H

/* Ends the process with the place and the condition on standard error. */
_Noreturn void check_failed(const char *file, int line, const char *condition);

#define CHECK(condition)                                  \
    do {                                                  \
        if (__builtin_expect(!(condition), 0)) {          \
            check_failed(__FILE__, __LINE__, #condition); \
        }                                                 \
    } while (0)

#endif
