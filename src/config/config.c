/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"

#include "base/process.h"
#include "config/ini_lines.h"
#include "config/take.h"
#include <stdio.h>
#include <string.h>

static void place(struct stk_loader *loader, const char *section, const char *name, const char *key)
{
    (void)snprintf(loader->where, sizeof(loader->where), "[%s%s%s]%s%s: ", section,
                   name[0] != '\0' ? " " : "", name, key[0] != '\0' ? " " : "", key);
}

/* What can be said only when a section is over. Its place is its first line. */
static enum stirkeep_status end_section(struct stk_loader *loader, struct stk_error *error)
{
    const struct stk_section *section = loader->section;
    enum stirkeep_status status = STIRKEEP_OK;

    loader->fault_line = loader->section_line;
    for (size_t i = 0; section != NULL && i < section->key_count; i++) {
        if (section->keys[i].required && loader->given[i] == 0) {
            place(loader, section->name, loader->name, section->keys[i].name);
            return stk_error_set(error, STIRKEEP_CONFIG, "missing");
        }
    }
    if (section != NULL && section->kind == STK_SECTION_NAMED) {
        place(loader, section->name, loader->name, "");
        status = section->end(loader, error);
    }
    if (status == STIRKEEP_OK)
        loader->fault_line = 0;
    return status;
}

/* "[grant NAME]" -> the section "grant" and, in `ret_name`, NAME. */
static size_t find_section(const char *text, const char **ret_name)
{
    for (size_t i = 0; i < stk_section_count(); i++) {
        const struct stk_section *section = stk_section_at(i);
        size_t length = strlen(section->name);

        if (section->kind != STK_SECTION_NAMED && strcmp(text, section->name) == 0) {
            *ret_name = "";
            return i;
        }
        if (section->kind == STK_SECTION_NAMED && strncmp(text, section->name, length) == 0 &&
            (text[length] == ' ' || text[length] == '\0')) {
            *ret_name = text + length + (text[length] == ' ' ? 1 : 0);
            return i;
        }
    }
    return stk_section_count();
}

/* [grant NAME] stands for itself among all of its kind; text as it stands there, cut of nothing. */
static enum stirkeep_status begin_named(struct stk_loader *loader, const char *text,
                                        const char *name, struct stk_error *error)
{
    struct stk_note *note = stk_notes_find(&loader->named, text);

    if (note != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG, "a second one (the first is in line %u)",
                             (unsigned)note->first);
    if (name[0] == '\0')
        return stk_error_set(error, STIRKEEP_CONFIG, "without its %s", loader->section->named);
    note = stk_notes_add(&loader->named, text);
    if (note == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    note->first = loader->section_line;
    memcpy(loader->name, name, strlen(name) + 1);
    return loader->section->begin(loader, error);
}

static enum stirkeep_status take_section(void *context, const char *text, unsigned line,
                                         struct stk_error *error)
{
    struct stk_loader *loader = context;
    const char *name = "";
    size_t index = find_section(text, &name);
    enum stirkeep_status status = end_section(loader, error);
    unsigned first = 0;

    if (status != STIRKEEP_OK)
        return status;
    place(loader, text, "", "");
    if (index == stk_section_count())
        return stk_error_set(error, STIRKEEP_CONFIG, "no such section");
    first = loader->begun[index];
    loader->section = stk_section_at(index);
    loader->section_line = line;
    loader->begun[index] = line;
    loader->name[0] = '\0';
    loader->key = NULL;
    memset(loader->given, 0, sizeof(loader->given));
    if (loader->section->kind == STK_SECTION_NAMED)
        return begin_named(loader, text, name, error);
    if (first != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "a second one (the first is in line %u)",
                             first);
    return STIRKEEP_OK;
}

/* Each item of a list with commas between. */
static enum stirkeep_status take_list(struct stk_loader *loader, const struct stk_key *key,
                                      const char *value, struct stk_error *error)
{
    char items[STK_INI_LINE_MAX + 1] = "";
    char *rest = items;
    char *item = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (strlen(value) >= sizeof(items))
        return stk_error_set(error, STIRKEEP_CONFIG, "too long");
    memcpy(items, value, strlen(value) + 1);
    while (status == STIRKEEP_OK && (item = strsep(&rest, ",")) != NULL) {
        size_t length = 0;

        item += strspn(item, " \t");
        length = strlen(item);
        while (length > 0 && strchr(" \t", item[length - 1]) != NULL)
            item[--length] = '\0';
        /* A comma at a line's end: the list goes on in the next, or does not. */
        if (length == 0 && rest == NULL && value[0] != '\0')
            break;
        if (length == 0)
            return stk_error_set(error, STIRKEEP_CONFIG,
                                 value[0] == '\0' ? "empty" : "an empty item between commas");
        status = key->take(loader, key, item, error);
    }
    return status;
}

static enum stirkeep_status take_key(struct stk_loader *loader, const struct stk_key *key,
                                     const char *value, unsigned line, struct stk_error *error)
{
    unsigned *given = &loader->given[key - loader->section->keys];

    if (*given != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "given twice (first in line %u)", *given);
    *given = line;
    if (key->list && (value[0] != '\0' || !key->empty))
        return take_list(loader, key, value, error);
    if (value[0] == '\0' && !key->empty)
        return stk_error_set(error, STIRKEEP_CONFIG, "empty");
    return key->take(loader, key, value, error);
}

static enum stirkeep_status take_value(void *context, const char *name, const char *value,
                                       bool more, unsigned line, struct stk_error *error)
{
    struct stk_loader *loader = context;
    const struct stk_section *section = loader->section;

    if (section == NULL)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: before the first [section]", name);
    place(loader, section->name, loader->name, name);
    if (more) {
        if (loader->key == NULL || !loader->key->list)
            return stk_error_set(
                error, STIRKEEP_CONFIG,
                "ends with a comma and is followed by an indented line: it is no list");
        return take_list(loader, loader->key, value, error);
    }
    if (section->kind == STK_SECTION_FREE)
        return stk_environment_add(loader, name, value, error);
    for (size_t i = 0; i < section->key_count; i++) {
        if (strcmp(section->keys[i].name, name) == 0) {
            loader->key = &section->keys[i];
            return take_key(loader, loader->key, value, line, error);
        }
    }
    return stk_error_set(error, STIRKEEP_CONFIG, "no such key");
}

static enum stirkeep_status judge_attestation(struct stk_loader *loader, struct stk_error *error)
{
    struct stk_config *config = loader->config;
    enum stirkeep_status status = stk_attest_check(loader, error);

    if (status != STIRKEEP_OK)
        return status;
    if (loader->idle != NULL && config->attestation.file[0] == '\0' && loader->attest.count == 0) {
        loader->fault_line = loader->idle_line;
        place(loader, "attestation", "", loader->idle->name);
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "decides nothing: there is neither a file nor an [attest NUMBERS] "
                             "section");
    }
    config->attestation.inline_ = loader->attest.items;
    config->attestation.inline_count = loader->attest.count;
    loader->attest = (struct stk_list){0};
    return STIRKEEP_OK;
}

/* What holds between sections, and the sections that must be there. */
static enum stirkeep_status judge(struct stk_loader *loader, struct stk_error *error)
{
    struct stk_config *config = loader->config;
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < stk_section_count(); i++) {
        const struct stk_section *section = stk_section_at(i);

        for (size_t j = 0; section->kind == STK_SECTION_PLAIN && j < section->key_count; j++) {
            if (section->keys[j].required && loader->begun[i] == 0) {
                place(loader, section->name, "", section->keys[j].name);
                return stk_error_set(error, STIRKEEP_CONFIG, "missing");
            }
        }
    }
    place(loader, "sockets", "", "admin");
    if (strcmp(config->sockets.sign, config->sockets.admin) == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "the same path as sign");
    if (strcmp(config->audit.witness, config->audit.file) == 0) {
        loader->fault_line = loader->witness_line;
        place(loader, "audit", "", "witness");
        return stk_error_set(error, STIRKEEP_CONFIG, "is the trail itself");
    }
    if (config->audit.number_key[0] != '\0' && !config->audit.numbers_hashed) {
        loader->fault_line = loader->number_key_line;
        place(loader, "audit", "", "number-key");
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "decides nothing: numbers are written as they are (numbers = plain)");
    }
    status = judge_attestation(loader, error);
    if (status != STIRKEEP_OK)
        return status;
    if (config->admin.user_count == 0)
        config->admin.users[config->admin.user_count++] = 0; /* root */
    return STIRKEEP_OK;
}

/* "NAME:LINE: [section] key: " goes before the reason, which is already in `error`. */
static void tell_where(struct stk_error *error, const char *name, const struct stk_loader *loader,
                       unsigned line)
{
    char reason[STK_ERROR_MAX] = "";

    if (error == NULL)
        return;
    if (loader->fault_line != 0)
        line = loader->fault_line;
    memcpy(reason, error->message, sizeof(reason));
    (void)stk_error_set(error, error->status, "%s:%u: %s%s", name, line != 0 ? line : 1,
                        loader->where, reason);
}

enum stirkeep_status stk_config_load(const char *text, size_t length, const char *name,
                                     struct stk_people *people, struct stk_config **ret_config,
                                     struct stk_error *error)
{
    struct stk_loader loader = {.config = stk_config_new(name), .people = people};
    struct stk_ini_events events = {&loader, take_section, take_value};
    enum stirkeep_status status = STIRKEEP_OK;
    unsigned line = 0;
    bool line_alone = false;

    if (loader.config == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", name);
    if (length > STK_CONFIG_MAX)
        status = stk_error_set(error, STIRKEEP_CONFIG, "larger than %d bytes", STK_CONFIG_MAX);
    else
        status = stk_ini_read(text, length, &events, &line, &line_alone, error);
    if (status == STIRKEEP_OK)
        status = end_section(&loader, error);
    if (status == STIRKEEP_OK)
        status = judge(&loader, error);
    if (line_alone)
        loader.where[0] = '\0';
    if (status != STIRKEEP_OK)
        tell_where(error, name, &loader, line);
    stk_grant_draft_free(&loader.grant);
    stk_notes_free(&loader.named);
    stk_list_free(&loader.attest);
    if (status == STIRKEEP_OK)
        *ret_config = loader.config;
    else
        stk_config_free(loader.config);
    return status;
}

enum stirkeep_status stk_config_parse(const char *text, size_t length, const char *name,
                                      struct stk_config **ret_config, struct stk_error *error)
{
    struct stk_people people = {0};
    enum stirkeep_status status = stk_config_load(text, length, name, &people, ret_config, error);

    stk_people_free(&people);
    return status;
}

unsigned stk_config_signers(const struct stk_config *config)
{
    const size_t wanted =
        config->token.sessions > 0 ? config->token.sessions : stk_process_processors() + 1;

    return (unsigned)(wanted < STK_SIGNERS_MAX ? wanted : STK_SIGNERS_MAX);
}
