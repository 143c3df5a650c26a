/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cli/record_words.h"
#include "cli/record_writer.h"

#define LATEST_TIME 253402300800 /* the year 10000 */

/* What acts are, in words; `done` when the outcome is ok, `not_done` when it is something else. */
static const struct {
    const char *act;
    const char *done;
    const char *not_done;
} acts[] = {
    {"sign", "a PASSporT was signed", "a PASSporT was asked for, and was not signed"},
    {"refuse", NULL, "a request was refused"},
    {"import", "a key and its certificate were imported", "an import was asked for, and not done"},
    {"install", "a certificate was installed", "a certificate was not installed"},
    {"retire", "a certificate was retired", "a certificate was not retired"},
    {"rollback", "a former certificate was made the active one again",
     "a certificate was not rolled back"},
    {"activate", "a staged certificate became active",
     "a staged certificate did not become active"},
    {"destroy", "a key was destroyed", "a key's destruction began, or was not done"},
    {"source-removed", "an uploaded key file was removed", "an uploaded key file was not removed"},
    {"policy", "a policy came into force", "a policy was offered, and did not come into force"},
    {"start", "the keeper of the keys began its work", NULL},
    {"stop", "the keeper of the keys ended its work", NULL},
    {"seal", "the records before were sealed", NULL},
};

static void write_act(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    const char *words = NULL;

    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (stk_fields_equal(fields->act, acts[i].act))
            words = stk_fields_equal(fields->outcome, "ok") ? acts[i].done : acts[i].not_done;
    stk_words_text(writer, "At ", fields->time, " by the host's clock, ");
    stk_words_add(writer, words != NULL ? words : "this was recorded");
    stk_words_text(writer, " (act ", fields->act, "");
    stk_words_text(writer, ", outcome ", fields->outcome, "");
    stk_words_add(writer, ").\n");
    stk_words_text(writer, "The reason: ", fields->reason, ".\n");
    stk_words_text(writer, "The detail: ", fields->detail, ".\n");
}

static void write_call(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    char time[STK_SECONDS_TEXT] = "";

    stk_words_text(writer, "The PASSporT is of type ", fields->ppt, ".\n");
    stk_words_text(writer, "The attestation is ", fields->attest, "");
    stk_words_text(writer, ", where ", fields->attest_asked, " was asked for");
    stk_words_add(writer, fields->attest.length > 0 ? ".\n" : "");
    stk_words_text(writer, "The call is from ", fields->orig, ".\n");
    if (fields->dest.length > 0) {
        stk_words_add(writer, "The call is to ");
        stk_words_dest(writer, fields->dest);
        stk_words_add(writer, ".\n");
    }
    stk_words_text(writer, "Its origid is ", fields->origid, ".\n");
    if (fields->iat > 0 && fields->iat < LATEST_TIME) {
        stk_seconds_text(fields->iat, time);
        stk_words_add(writer, "Its iat is ");
        stk_words_number(writer, (uint64_t)fields->iat);
        stk_words_add(writer, ", that is ");
        stk_words_add(writer, time);
        stk_words_add(writer, ".\n");
    }
    stk_words_text(writer, "SHA-256 of the PASSporT's signature: ", fields->sig, ".\n");
}

static void write_certificate(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    stk_words_text(writer, "The certificate is ", fields->name, "");
    if (fields->name.length > 0 && fields->generation != 0) {
        stk_words_add(writer, ", generation ");
        stk_words_number(writer, fields->generation);
    }
    stk_words_add(writer, fields->name.length > 0 ? ".\n" : "");
    stk_words_text(writer, "The key is ", fields->key_id, ".\n");
}

static void write_peer(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    if (!fields->has_peer)
        return;
    stk_words_add(writer, "It was asked for by a process of user ");
    stk_words_number(writer, fields->uid);
    stk_words_add(writer, " and group ");
    stk_words_number(writer, fields->gid);
    stk_words_add(writer, ", number ");
    stk_words_number(writer, fields->pid);
    stk_words_text(writer, ", program ", fields->executable, "");
    stk_words_text(writer, ", with the grant ", fields->grant, "");
    stk_words_text(writer, ", as its request ", fields->request_id, "");
    stk_words_add(writer, ".\n");
}

static void write_rest(struct stk_record_writer *writer, const struct stk_fields *fields)
{
    if (fields->suppressed != 0) {
        stk_words_add(writer, "Others like it that were not recorded one by one: ");
        stk_words_number(writer, fields->suppressed);
        stk_words_add(writer, ".\n");
    }
    if (fields->seal.length > 0) {
        stk_words_add(writer, "It is a seal over records ");
        stk_words_number(writer, fields->from);
        stk_words_add(writer, " to ");
        stk_words_number(writer, fields->through);
        stk_words_add(writer, ".\n");
    }
}

enum stirkeep_status stk_record_sentences(const struct stk_fields *fields, struct stk_buffer *out)
{
    struct stk_record_writer writer = {.out = out};

    write_act(&writer, fields);
    write_certificate(&writer, fields);
    write_call(&writer, fields);
    write_peer(&writer, fields);
    write_rest(&writer, fields);
    return writer.status;
}
