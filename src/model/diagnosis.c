/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/diagnosis.h"

#include "base/disk.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FULL_BYTES ((uint64_t)4 * 1024 * 1024) /* too little for a journal and a few keys */
#define NEARLY_FULL_BYTES ((uint64_t)64 * 1024 * 1024)
#define NEARLY_FULL_FILES 256

static const char *keep(struct stk_diagnosis *diagnosis, char *text)
{
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    return stk_arena_copy(diagnosis->arena, text, strlen(text));
}

void stk_diagnosis_fact(struct stk_diagnosis *diagnosis, const char *name, const char *format, ...)
{
    char text[STK_DIAGNOSIS_TEXT_MAX + 1] = "";
    struct stk_fact fact = {.name = name};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (diagnosis->fact_count == STK_FACTS_MAX - 1)
        fact = (struct stk_fact){"more", "there is no room for more facts"};
    else
        fact.value = keep(diagnosis, text);
    if (diagnosis->fact_count < STK_FACTS_MAX && fact.value != NULL)
        diagnosis->facts[diagnosis->fact_count++] = fact;
}

void stk_diagnosis_trouble(struct stk_diagnosis *diagnosis, const char *severity, const char *cure,
                           const char *format, ...)
{
    char text[STK_DIAGNOSIS_TEXT_MAX + 1] = "";
    struct stk_trouble trouble = {.severity = severity, .cure = cure};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (diagnosis->trouble_count == STK_TROUBLES_MAX - 1)
        trouble = (struct stk_trouble){severity, "there is more, and no room to tell it",
                                       "mend what is told, then ask again"};
    else
        trouble.what = keep(diagnosis, text);
    if (diagnosis->trouble_count < STK_TROUBLES_MAX && trouble.what != NULL)
        diagnosis->troubles[diagnosis->trouble_count++] = trouble;
}

static void judge_room(struct stk_diagnosis *diagnosis, const char *path,
                       const struct stk_disk *disk, const char *free_text)
{
    static const char cure[] = "make room on that file system";

    if (disk->read_only)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, "mount it for writing",
                              "%s is on a file system that is read-only", path);
    else if (disk->free < FULL_BYTES)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE, cure,
                              "%s: the file system is full (%s are free)", path, free_text);
    else if (disk->free < NEARLY_FULL_BYTES)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, cure,
                              "%s: the file system is nearly full (%s are free)", path, free_text);
    else if (disk->free_files < NEARLY_FULL_FILES)
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, "remove files on that file system",
                              "%s: the file system can take only %llu more files", path,
                              (unsigned long long)disk->free_files);
}

void stk_diagnosis_disk(struct stk_diagnosis *diagnosis, const char *what, const char *path)
{
    struct stk_disk disk = {0};
    struct stk_error error = {0};
    char free_text[STK_DISK_TEXT] = "";

    if (stk_disk_look(path, &disk, &error) != STIRKEEP_OK) {
        stk_diagnosis_fact(diagnosis, what, "%s", error.message);
        stk_diagnosis_trouble(diagnosis, STK_SLIGHT, "see whether the path is right",
                              "the room left for the %s cannot be told: %s", what, error.message);
        return;
    }
    stk_disk_size_text(disk.free, free_text);
    stk_diagnosis_fact(diagnosis, what, "%s (%s, mode %04o, owner %u, %s free)", path, disk.type,
                       disk.mode & 07777, disk.uid, free_text);
    judge_room(diagnosis, path, &disk, free_text);
}
