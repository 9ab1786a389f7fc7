/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's file of providers, and the discovery document of one. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "outbound/oidc.h"
#include "wire/host.h"

static const struct {
    const char *word;
    enum oidc_link link;
} links[] = {
    {"none", OIDC_LINK_NONE},
    {"email", OIDC_LINK_EMAIL},
    {"username", OIDC_LINK_USERNAME},
};

static bool copy_text(const json_t *value, char *to, size_t size)
{
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || json_string_length(value) != strlen(text) ||
        strlen(text) >= size) {
        return false;
    }
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static bool is_https(const char *text)
{
    struct str address = str_from(text);
    for (size_t i = 0; i < address.len; i++) {
        if (address.p[i] <= ' ' || address.p[i] > '~' || address.p[i] == '#') {
            return false;
        }
    }
    return str_starts(address, STR("https://")) && address.len > STR("https://").len;
}

static bool is_name(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!(*at >= 'a' && *at <= 'z') && !ascii_is_digit(*at) && *at != '-') {
            return false;
        }
    }
    return true;
}

static const char *read_domains(const json_t *list, struct oidc_provider *provider)
{
    size_t i;
    const json_t *value;
    if (list == NULL) {
        return NULL;
    }
    if (!json_is_array(list) || json_array_size(list) > OIDC_DOMAINS_MAX) {
        return "\"domains\" must be a list of at most 16 names";
    }
    json_array_foreach(list, i, value)
    {
        struct host host;
        const char *text = json_string_value(value);
        if (text == NULL || host_parse(str_from(text), &host) != ERR_OK) {
            return "\"domains\" holds what is no domain, such as school.example";
        }
        snprintf(provider->domains[i], OIDC_TEXT_MAX, "%.*s", STR_ARG(host_str(&host)));
        provider->n_domains = i + 1;
    }
    return NULL;
}

static const char *read_link(const json_t *value, struct oidc_provider *provider)
{
    const char *word = value != NULL ? json_string_value(value) : "none";
    for (size_t i = 0; word != NULL && i < sizeof(links) / sizeof(links[0]); i++) {
        if (strcmp(word, links[i].word) == 0) {
            provider->link = links[i].link;
        }
    }
    if (provider->link == OIDC_LINK_UNSET) {
        return "\"link\" must be \"none\", \"email\" or \"username\"";
    }
    if (provider->link != OIDC_LINK_NONE && provider->n_domains == 0) {
        return "\"link\" needs \"domains\": whose addresses count";
    }
    return NULL;
}

static bool is_known_member(const char *key)
{
    static const char *const members[] = {"name",          "label", "issuer",  "client_id",
                                          "client_secret", "link",  "domains", "trust_mfa"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(key, members[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL, or what is wrong with it. */
static const char *read_provider(json_t *value, struct oidc_provider *provider)
{
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member)
    {
        if (!is_known_member(key)) {
            return "a member has a name that is not known here";
        }
    }
    if (!copy_text(json_object_get(value, "name"), provider->name, sizeof(provider->name)) ||
        !is_name(provider->name)) {
        return "\"name\" must be 1 to 32 of a-z, 0-9 and -";
    }
    if (!copy_text(json_object_get(value, "label"), provider->label, sizeof(provider->label))) {
        return "\"label\" is missing: what the button says, such as \"Google\"";
    }
    if (!copy_text(json_object_get(value, "issuer"), provider->issuer, sizeof(provider->issuer)) ||
        !is_https(provider->issuer) || strchr(provider->issuer, '{') != NULL ||
        strchr(provider->issuer, '?') != NULL) {
        return "\"issuer\" must be the provider's own https address; for Microsoft the one with "
               "the "
               "school's tenant, never \"common\"";
    }
    if (!copy_text(json_object_get(value, "client_id"), provider->client_id,
                   sizeof(provider->client_id)) ||
        !copy_text(json_object_get(value, "client_secret"), provider->client_secret,
                   sizeof(provider->client_secret))) {
        return "\"client_id\" and \"client_secret\" are needed, as the provider gave them";
    }
    member = json_object_get(value, "trust_mfa");
    if (member != NULL && !json_is_boolean(member)) {
        return "\"trust_mfa\" must be true or false";
    }
    provider->trust_mfa = json_is_true(member);
    const char *why = read_domains(json_object_get(value, "domains"), provider);
    return why != NULL ? why : read_link(json_object_get(value, "link"), provider);
}

static bool is_second(const struct oidc_config *config, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(config->providers[i].name, config->providers[n].name) == 0) {
            return true;
        }
    }
    return false;
}

static enum err read_providers(const json_t *list, struct oidc_config *config, struct buf *why)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0 || n > OIDC_PROVIDERS_MAX) {
        buf_printf(why, "\"providers\" must be a list of 1 to %d", OIDC_PROVIDERS_MAX);
        return ERR_INVALID;
    }
    for (size_t i = 0; i < n; i++) {
        const char *fault = read_provider(json_array_get(list, i), &config->providers[i]);
        if (fault == NULL && is_second(config, i)) {
            fault = "\"name\" stands twice";
        }
        if (fault != NULL) {
            buf_printf(why, "provider %zu: %s", i + 1, fault);
            return ERR_INVALID;
        }
        config->n_providers = i + 1;
    }
    return ERR_OK;
}

enum err oidc_config_read(struct str json, struct oidc_config *ret_config, struct buf *why)
{
    json_error_t error;
    struct oidc_config config = {0};
    json_t *root =
        json_loadb(json.p != NULL ? json.p : "", json.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        buf_printf(why, "line %d: %s", error.line, error.text);
        return ERR_INVALID;
    }
    enum err err = read_providers(json_object_get(root, "providers"), &config, why);
    json_decref(root);
    if (err == ERR_OK) {
        *ret_config = config;
    }
    return err;
}

void oidc_discovery_address(const struct oidc_provider *provider, struct buf *to)
{
    struct str issuer = str_from(provider->issuer);
    if (str_ends(issuer, STR("/"))) {
        issuer.len--; /* Discovery 1.0 section 4 */
    }
    buf_append(to, issuer);
    buf_append(to, STR("/.well-known/openid-configuration"));
}

/* A list that is absent has its default (Discovery 1.0 section 3). */
static bool has_word(const json_t *list, const char *word, bool absent)
{
    size_t i;
    const json_t *value;
    if (list == NULL) {
        return absent;
    }
    json_array_foreach(list, i, value)
    {
        const char *text = json_string_value(value);
        if (text != NULL && strcmp(text, word) == 0) {
            return true;
        }
    }
    return false;
}

static const char *read_endpoints(const json_t *root, struct oidc_endpoints *endpoints)
{
    static const struct {
        const char *member;
        size_t at;
    } places[] = {
        {"authorization_endpoint", offsetof(struct oidc_endpoints, authorize)},
        {"token_endpoint", offsetof(struct oidc_endpoints, token)},
        {"jwks_uri", offsetof(struct oidc_endpoints, keys)},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *to = (char *)endpoints + places[i].at;
        if (!copy_text(json_object_get(root, places[i].member), to, OIDC_TEXT_MAX) ||
            !is_https(to)) {
            return "an endpoint is missing or not https";
        }
    }
    const json_t *ways = json_object_get(root, "token_endpoint_auth_methods_supported");
    bool basic = has_word(ways, "client_secret_basic", true);
    endpoints->secret_in_body = !basic;
    if (!basic && !has_word(ways, "client_secret_post", false)) {
        return "it takes no client secret";
    }
    return NULL;
}

enum err oidc_discovery_read(const struct oidc_provider *provider, struct str json,
                             struct oidc_endpoints *ret_endpoints, const char **why)
{
    struct oidc_endpoints endpoints = {0};
    json_error_t error;
    json_t *root =
        json_loadb(json.p != NULL ? json.p : "", json.len, JSON_REJECT_DUPLICATES, &error);
    const char *issuer = json_string_value(json_object_get(root, "issuer"));
    const char *fault = NULL;
    if (root == NULL) {
        fault = "it is not JSON";
    } else if (issuer == NULL || strcmp(issuer, provider->issuer) != 0) {
        fault = "it is another issuer's";
    } else if (!has_word(json_object_get(root, "response_types_supported"), "code", false)) {
        fault = "it does not offer the code flow";
    } else {
        fault = read_endpoints(root, &endpoints);
    }
    json_decref(root);
    if (fault != NULL) {
        *why = fault;
        return ERR_INVALID;
    }
    *ret_endpoints = endpoints;
    return ERR_OK;
}
