/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replays corpora without libFuzzer: every file of the folders (or files) given goes through the
 * target once, whole and cut short at a few places. An empty corpus is a failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly `size` bytes, so that AddressSanitizer sees a read behind the end. */
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size != 0 ? size : 1);
    if (copy == NULL) {
        exit(2);
    }
    if (size != 0) {
        memcpy(copy, data, size);
    }
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t cap = 1 << 20;
    uint8_t *data = malloc(cap);
    size_t size = data != NULL ? fread(data, 1, cap, file) : 0;
    fclose(file);
    if (data == NULL) {
        return 1;
    }
    run_copy(data, size);
    for (size_t part = 1; part < 16; part++) {
        run_copy(data, size * part / 16);
    }
    free(data);
    return 0;
}

static int run_folder(const char *path, int *count)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, NULL, alphasort);
    int failed = n < 0;
    for (int i = 0; i < n; i++) {
        char full[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(full, sizeof(full), "%s/%s", path, entries[i]->d_name);
            failed |= run_file(full);
            *count += 1;
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    int count = 0;
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            perror(argv[i]);
            return 1;
        }
        if (S_ISDIR(info.st_mode)) {
            failed |= run_folder(argv[i], &count);
        } else {
            failed |= run_file(argv[i]);
            count += 1;
        }
    }
    printf("%d inputs replayed\n", count);
    return failed != 0 || count == 0;
}
