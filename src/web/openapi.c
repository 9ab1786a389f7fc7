/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers with the description of the interface, signed out too: it tells nothing of the school. */
#include "web/openapi.h"

#include "web/page.h"
#include "web/route.h"

enum web_next web_openapi(struct web_exchange *exchange)
{
    return page_bytes(exchange, STR("application/json"), STR(""), web_openapi_document);
}
