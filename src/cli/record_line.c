/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/record_words.h"
#include "cli/record_writer.h"

#define KEY_SHOWN 16 /* digits of a key's id */

static void write_key(struct stk_record_writer *writer, const char *before, struct stk_bytes key_id)
{
    struct stk_bytes shown = key_id;

    if (shown.length > KEY_SHOWN)
        shown.length = KEY_SHOWN;
    stk_words_text(writer, before, shown, key_id.length > KEY_SHOWN ? "..." : "");
}

static void write_certificate(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    stk_words_value(writer, "  ", fields->name, "");
    if (fields->generation != 0) {
        stk_words_add(writer, fields->name.length > 0 ? " (generation " : "  (generation ");
        stk_words_number(writer, fields->generation);
        stk_words_add(writer, ")");
    }
    if (fields->name.length == 0)
        write_key(writer, "  key ", fields->key_id);
}

static void write_call(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    stk_words_value(writer, "  ", fields->ppt, "");
    stk_words_value(writer, fields->ppt.length > 0 ? " " : "  ", fields->attest, "");
    stk_words_value(writer, " (asked for ", fields->attest_asked, ")");
    stk_words_value(writer, "  ", fields->orig, "");
    if (fields->dest.length > 0) {
        stk_words_add(writer, fields->orig.length > 0 ? " to " : "  to ");
        stk_words_dest(writer, fields->dest);
    }
}

static void write_peer(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    if (!fields->has_peer)
        return;
    stk_words_add(writer, "  by uid ");
    stk_words_number(writer, fields->uid);
    stk_words_add(writer, ", pid ");
    stk_words_number(writer, fields->pid);
    stk_words_value(writer, ", ", fields->executable, "");
    stk_words_text(writer, ", grant ", fields->grant, "");
    stk_words_text(writer, ", request ", fields->request_id, "");
}

static void write_seal(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    if (fields->seal.length == 0)
        return;
    stk_words_add(writer, "  records ");
    stk_words_number(writer, fields->from);
    stk_words_add(writer, " to ");
    stk_words_number(writer, fields->through);
}

static void write_why(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    stk_words_text(writer, "  ", fields->detail, "");
    stk_words_text(writer, "  because: ", fields->reason, "");
    if (fields->suppressed == 0)
        return;
    stk_words_add(writer, "  (not recorded one by one: ");
    stk_words_number(writer, fields->suppressed);
    stk_words_add(writer, ")");
}

enum stirkeep_status stk_record_line(const struct stk_fields *fields, struct stk_buffer *out)
{
    struct stk_record_writer writer = {.out = out};

    stk_words_number(&writer, fields->sequence);
    stk_words_text(&writer, "  ", fields->time, "");
    stk_words_text(&writer, "  ", fields->act, "");
    stk_words_text(&writer, " ", fields->outcome, "");
    write_certificate(&writer, fields);
    write_call(&writer, fields);
    write_seal(&writer, fields);
    write_peer(&writer, fields);
    write_why(&writer, fields);
    return writer.status;
}
