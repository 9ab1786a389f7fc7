/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QR codes by libqrencode. A row's dark modules are one path, a stroke for each run of them. */
#include "web/qr.h"

#include <qrencode.h>

enum { QUIET = 4, TEXT_MAX = 2900 };

static void print_row(const unsigned char *row, int width, int y, struct buf *to)
{
    for (int x = 0; x < width; x++) {
        int run = 0;
        while (x + run < width && (row[x + run] & 1) != 0) {
            run++;
        }
        if (run > 0) {
            buf_printf(to, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, run, run);
            x += run;
        }
    }
}

enum err qr_print_svg(struct str text, struct buf *to)
{
    if (text.len == 0 || str_index(text, '\0') != text.len) {
        return ERR_INVALID;
    }
    if (text.len > TEXT_MAX) {
        return ERR_LIMIT;
    }
    QRcode *code = QRcode_encodeData((int)text.len, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
    if (code == NULL) {
        return ERR_LIMIT;
    }
    int size = code->width + 2 * QUIET;
    buf_printf(to,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
               "height=\"%d\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" "
               "d=\"M0 0h%dv%dH0z\"/><path d=\"",
               size, size, size * 5, size * 5, size, size);
    for (int y = 0; y < code->width; y++) {
        print_row(code->data + (size_t)y * (size_t)code->width, code->width, y, to);
    }
    buf_append(to, STR("\"/></svg>"));
    QRcode_free(code);
    return buf_err(to);
}
