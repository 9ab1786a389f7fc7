/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A policy as people read it: the printed table comes from what decides. */
#include "policy/show.h"

#include "base/clock.h"
#include "policy/model_impl.h"

static void print_title(struct buf *to, struct str title, char line)
{
    buf_append(to, title);
    buf_append_byte(to, '\n');
    for (size_t i = 0; i < title.len; i++) {
        buf_append_byte(to, line);
    }
    buf_append_byte(to, '\n');
}

static void print_day(struct buf *to, int64_t day)
{
    char text[CIVIL_TEXT_MAX];
    size_t len = civil_print_utc(day * MS_PER_DAY, text);
    buf_append(to, str_sub(str_make(text, len), 0, STR("2026-09-02").len));
}

static const char *open_word(bool open)
{
    return open ? "open" : "refused";
}

static void show_group(struct buf *to, const struct policy *policy, const struct group *group)
{
    buf_printf(to, "  %.*s: %.*s", STR_ARG(group->id), STR_ARG(group->label));
    if (group->outer < POLICY_NO_GROUP) {
        buf_printf(to, ", in %.*s", STR_ARG(policy->groups[group->outer].id));
    }
    buf_printf(to, "\n      agreement: %s%s", group->agreement_needed ? "needed" : "not needed",
               group->agreement_needed && group->agreement_parent ? ", and a parent's" : "");
    buf_printf(to, "; unknown sites: %.*s; harmful ones without a row: %.*s; others: %.*s\n",
               STR_ARG(level_name(group->uncategorised)),
               STR_ARG(level_name(group->tiers[TIER_HARMFUL])),
               STR_ARG(level_name(group->tiers[TIER_ORDINARY])));
    buf_printf(to,
               "      tunnels: other ports %s, bare addresses %s, no name %s, no TLS %s, hidden "
               "names (ECH) %s\n",
               open_word(group->tunnels.other_ports), open_word(group->tunnels.ip_literal),
               open_word(group->tunnels.no_sni), open_word(group->tunnels.not_tls),
               open_word(group->tunnels.ech));
    buf_printf(to, "      HTTPS: %s; safe search: %.*s\n",
               group->inspect ? "inspected" : "tunnelled",
               STR_ARG(safe_search_name(group->safe_search)));
}

static void show_words(struct buf *to, const char *what, const struct words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        buf_printf(to, "%s%.*s", i == 0 ? what : ", ", STR_ARG(words->p[i]));
    }
}

static void show_members(struct buf *to, const struct policy *policy)
{
    for (size_t i = 0; i < policy->n_member_rules; i++) {
        const struct member_rule *rule = &policy->member_rules[i];
        buf_printf(to, "  in %.*s:", STR_ARG(policy->groups[rule->group].id));
        if (rule->kind.len != 0) {
            buf_printf(to, " %.*s", STR_ARG(rule->kind));
        }
        show_words(to, " year ", &rule->years);
        show_words(to, " role ", &rule->roles);
        buf_append_byte(to, '\n');
    }
}

static void show_minute(struct buf *to, uint16_t minute)
{
    buf_printf(to, "%02d:%02d", minute / 60, minute % 60);
}

static void show_days(struct buf *to, uint8_t days)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    if (days == 0x1f) {
        buf_append(to, STR(" Mon-Fri"));
        return;
    }
    for (size_t i = 0; i < 7; i++) {
        if ((days >> i & 1) != 0) {
            buf_printf(to, " %s", names[i]);
        }
    }
}

static void show_time(struct buf *to, const struct calendar *calendar,
                      const struct named_time *time)
{
    buf_printf(to, "  %.*s:", STR_ARG(time->id));
    if (time->is_not) {
        buf_printf(to, " whenever it is not %.*s", STR_ARG(calendar->times[time->not_of].id));
    }
    for (size_t i = 0; i < time->n_periods; i++) {
        buf_printf(to, "%s %.*s", i != 0 ? "," : "", STR_ARG(time->periods[i]));
    }
    if (time->kinds != 0) {
        buf_append_byte(to, ' ');
        show_minute(to, time->from);
        buf_append_byte(to, '-');
        show_minute(to, time->to);
        buf_append(to, STR(" on:"));
        for (enum day_kind kind = 0; kind < DAY_KINDS; kind++) {
            if ((time->kinds >> kind & 1) != 0) {
                buf_printf(to, " %.*s", STR_ARG(day_kind_name(kind)));
            }
        }
    }
    buf_append_byte(to, '\n');
}

static void show_ranges(struct buf *to, const char *what, const struct date_range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_printf(to, "  %s ", what);
        print_day(to, ranges[i].first);
        if (ranges[i].last != ranges[i].first) {
            buf_append(to, STR(" to "));
            print_day(to, ranges[i].last);
        }
        buf_printf(to, "  %.*s\n", STR_ARG(ranges[i].label));
    }
}

static void show_calendar(struct buf *to, const struct calendar *calendar)
{
    print_title(to, STR("Time"), '-');
    buf_printf(to, "  zone %.*s\n", STR_ARG(calendar->zone));
    show_ranges(to, "term", calendar->terms, calendar->n_terms);
    show_ranges(to, "closed", calendar->closed, calendar->n_closed);
    for (size_t i = 0; i < calendar->n_periods; i++) {
        const struct period *period = &calendar->periods[i];
        buf_append(to, STR("  "));
        show_minute(to, period->from);
        buf_append_byte(to, '-');
        show_minute(to, period->to);
        show_days(to, period->days);
        buf_printf(to, "  %.*s (%.*s)\n", STR_ARG(period->id), STR_ARG(period->label));
    }
    buf_append_byte(to, '\n');
    print_title(to, STR("Named times"), '-');
    for (size_t i = 0; i < calendar->n_times; i++) {
        show_time(to, calendar, &calendar->times[i]);
    }
}

static void show_cell(struct buf *to, const struct policy *policy, const struct cell *cell)
{
    buf_printf(to, "      %-16.*s %.*s", STR_ARG(policy->groups[cell->group].id),
               STR_ARG(level_name(cell->level)));
    if (cell->level == LEVEL_CERTAIN_TIMES) {
        buf_append(to, cell->times == 0 ? STR(": no times yet, so closed") : STR(":"));
        for (size_t t = 0; t < policy->calendar.n_times; t++) {
            if ((cell->times >> t & 1) != 0) {
                buf_printf(to, " %.*s", STR_ARG(policy->calendar.times[t].id));
            }
        }
    }
    if (cell->level == LEVEL_NOMINATED) {
        const struct nominated *list = &policy->nominated[cell->nominated];
        buf_printf(to, ": the list %.*s, %zu people here", STR_ARG(list->id), list->n_people);
    }
    buf_append_byte(to, '\n');
}

static void show_line(struct buf *to, const char *word, struct str text)
{
    if (text.len != 0) {
        buf_printf(to, "      %s: %.*s\n", word, STR_ARG(text));
    }
}

static void show_row(struct buf *to, const struct policy *policy, const struct row *row)
{
    buf_printf(to, "  %.*s: %.*s\n", STR_ARG(row->id), STR_ARG(row->label));
    buf_append(to,
               row->enforced ? STR("      sites of:") : STR("      no filter can enforce this"));
    for (unsigned c = catset_next(&row->categories, 0); c < LIMIT_CATEGORIES;
         c = catset_next(&row->categories, c + 1)) {
        buf_printf(to, " %.*s", STR_ARG(category_row(c)->name));
    }
    buf_append_byte(to, '\n');
    for (unsigned group = 0; group < policy->n_groups; group++) {
        for (size_t i = 0; i < row->n_cells; i++) {
            if (policy->cells[row->first_cell + i].group == group) {
                show_cell(to, policy, &policy->cells[row->first_cell + i]);
            }
        }
    }
    show_line(to, "law", row->law);
    show_line(to, "note", row->note);
    show_line(to, "from", row->source);
}

/* Rows of one section together; sections in the order in which they first appear. */
static void show_table(struct buf *to, const struct policy *policy)
{
    for (size_t r = 0; r < policy->n_rows; r++) {
        bool shown = false;
        for (size_t before = 0; before < r; before++) {
            shown = shown || str_eq(policy->rows[before].section, policy->rows[r].section);
        }
        if (shown) {
            continue;
        }
        buf_append(to, STR("\n"));
        print_title(to, policy->rows[r].section.len != 0 ? policy->rows[r].section : STR("table"),
                    '-');
        for (size_t same = r; same < policy->n_rows; same++) {
            if (str_eq(policy->rows[same].section, policy->rows[r].section)) {
                show_row(to, policy, &policy->rows[same]);
            }
        }
    }
}

static void show_entries(struct buf *to, const struct policy *policy, enum match_kind kind,
                         struct str title)
{
    bool any = false;
    buf_append_byte(to, '\n');
    print_title(to, title, '-');
    for (size_t i = 0; i < policy->n_entries; i++) {
        const struct entry *entry = &policy->entries[i];
        if (entry->kind == kind) {
            any = true;
            buf_printf(to, "  %.*s: %.*s", STR_ARG(entry->match), STR_ARG(entry->why));
            if (entry->who.len != 0) {
                buf_printf(to, " (%.*s; review %.*s)", STR_ARG(entry->who), STR_ARG(entry->review));
            }
            buf_append_byte(to, '\n');
        }
    }
    buf_append(to, any ? STR("") : STR("  none\n"));
}

static void show_never(struct buf *to, const struct policy *policy)
{
    show_entries(to, policy, MATCH_NEVER, STR("Never inspected"));
    buf_append(to, STR("  and every lifeline, and sites of:"));
    for (unsigned c = catset_next(&policy->never_inspect, 0); c < LIMIT_CATEGORIES;
         c = catset_next(&policy->never_inspect, c + 1)) {
        buf_printf(to, " %.*s", STR_ARG(category_row(c)->name));
    }
    buf_append_byte(to, '\n');
}

void policy_show(const struct policy *policy, struct buf *to)
{
    print_title(to, policy->title, '=');
    buf_printf(to, "\nschool: %.*s\n\n", STR_ARG(policy->school));
    print_title(to, STR("Groups"), '-');
    for (size_t i = 0; i < policy->n_groups; i++) {
        show_group(to, policy, &policy->groups[i]);
    }
    show_members(to, policy);
    buf_printf(to, "  without a person: %.*s\n\n",
               STR_ARG(policy->groups[policy->unknown_group].id));
    show_calendar(to, &policy->calendar);
    show_table(to, policy);
    show_entries(to, policy, MATCH_DENY, STR("Denied by the school"));
    show_entries(to, policy, MATCH_ALLOW, STR("Allowed by the school"));
    show_entries(to, policy, MATCH_LIFELINE, STR("Lifelines, open to everyone"));
    show_entries(to, policy, MATCH_LEARNING, STR("Open while an agreement is missing"));
    show_entries(to, policy, MATCH_PRIVATE, STR("Hosts inside that may be reached"));
    show_never(to, policy);
}
