/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The OpenAPI document of all addresses, made by tools/openapi.py from route.def and schema/. */
#ifndef LODGE_WEB_OPENAPI_H
#define LODGE_WEB_OPENAPI_H

#include "base/str.h"

extern const struct str web_openapi_document;

#endif
