/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures a second of a PKCS#11 module alone, as fast as we know how to ask it: a thread, a
 * session and a session copy of the key each, C_SignInit and C_Sign on a digest, nothing else.
 * With KEYS, by so many keys of the token in no order, of which the threads share the copies. With
 * "token", by the key as it lies on the token. With "each", each signature's time is taken and their
 * median and 99th percentile, in microseconds, are printed behind the rate.
 *
 *   bare MODULE TOKEN-LABEL PIN-FILE THREADS SECONDS [KEYS|token] [each]
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 128
#define LABEL_LENGTH 32
#define KEYS_MAX 100000
#define SLOWEST_US 100000 /* longer ones count as this */

static struct {
    CK_FUNCTION_LIST *module;
    CK_SLOT_ID slot;
    CK_OBJECT_HANDLE *keys;
    CK_ULONG count;
    bool shared;   /* they are copies already */
    bool on_token; /* they are used as they are */
    bool each;
    atomic_bool stop;
} bare;

struct worker {
    pthread_t thread;
    uint64_t signatures;
    uint32_t times[SLOWEST_US]; /* by microsecond */
};

static void must(CK_RV code, const char *what)
{
    if (code == CKR_OK)
        return;
    (void)fprintf(stderr, "bare: %s: 0x%lx\n", what, code);
    exit(1);
}

static void load(const char *path)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_C_GetFunctionList list = NULL;
    void *library = dlopen(path, RTLD_NOW);

    if (library == NULL) {
        (void)fprintf(stderr, "bare: %s\n", dlerror());
        exit(1);
    }
    *(void **)&list = dlsym(library, "C_GetFunctionList");
    must(list == NULL ? CKR_FUNCTION_FAILED : list(&bare.module), "C_GetFunctionList");
    must(bare.module->C_Initialize(&arguments), "C_Initialize");
}

static void choose_slot(const char *label)
{
    CK_SLOT_ID slots[64];
    CK_ULONG count = 64;
    CK_TOKEN_INFO info;
    char padded[LABEL_LENGTH + 1] = "";

    (void)snprintf(padded, sizeof(padded), "%-32s", label);
    must(bare.module->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++)
        if (bare.module->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            memcmp(info.label, padded, LABEL_LENGTH) == 0) {
            bare.slot = slots[i];
            return;
        }
    must(CKR_TOKEN_NOT_PRESENT, label);
}

static CK_SESSION_HANDLE open_session(void)
{
    CK_SESSION_HANDLE session = 0;

    must(bare.module->C_OpenSession(bare.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                    &session),
         "C_OpenSession");
    return session;
}

static void login(CK_SESSION_HANDLE session, const char *pin_file)
{
    char pin[256] = "";
    FILE *file = fopen(pin_file, "r");

    if (file == NULL || fgets(pin, sizeof(pin), file) == NULL) {
        perror(pin_file);
        exit(1);
    }
    (void)fclose(file);
    pin[strcspn(pin, "\n")] = '\0';
    must(bare.module->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)), "C_Login");
}

/* EC keys that sign. */
static void find_keys(CK_SESSION_HANDLE session, CK_ULONG wanted)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
                               {CKA_KEY_TYPE, &type, sizeof(type)},
                               {CKA_SIGN, &yes, sizeof(yes)}};

    bare.keys = calloc(wanted, sizeof(*bare.keys));
    must(bare.keys == NULL ? CKR_HOST_MEMORY : CKR_OK, "calloc");
    must(bare.module->C_FindObjectsInit(session, template, 3), "C_FindObjectsInit");
    must(bare.module->C_FindObjects(session, bare.keys, wanted, &bare.count), "C_FindObjects");
    must(bare.module->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    must(bare.count == wanted ? CKR_OK : CKR_KEY_HANDLE_INVALID, "too few EC keys on the token");
}

static CK_OBJECT_HANDLE copy_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_OBJECT_HANDLE copy = 0;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &no, sizeof(no)}};

    must(bare.module->C_CopyObject(session, key, template, 1, &copy), "C_CopyObject");
    return copy;
}

static CK_OBJECT_HANDLE any_key(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return bare.keys[(*seed >> 33) % bare.count];
}

static CK_OBJECT_HANDLE key_for(CK_SESSION_HANDLE session)
{
    if (bare.shared)
        return 0;
    return bare.on_token ? bare.keys[0] : copy_of(session, bare.keys[0]);
}

static uint64_t now_us(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void note_time(struct worker *worker, uint64_t took)
{
    worker->times[took < SLOWEST_US ? took : SLOWEST_US - 1]++;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    CK_SESSION_HANDLE session = open_session();
    CK_OBJECT_HANDLE own = key_for(session);
    CK_MECHANISM ecdsa = {.mechanism = CKM_ECDSA};
    CK_BYTE digest[32] = {0};
    CK_BYTE signature[64];
    uint64_t seed = session;

    while (!atomic_load_explicit(&bare.stop, memory_order_relaxed)) {
        CK_ULONG length = sizeof(signature);
        uint64_t began = bare.each ? now_us() : 0;

        memcpy(digest, &worker->signatures, sizeof(worker->signatures));
        must(bare.module->C_SignInit(session, &ecdsa, bare.shared ? any_key(&seed) : own),
             "C_SignInit");
        must(bare.module->C_Sign(session, digest, sizeof(digest), signature, &length), "C_Sign");
        worker->signatures++;
        if (bare.each)
            note_time(worker, now_us() - began);
    }
    return NULL;
}

static unsigned at(const struct worker *workers, int threads, uint64_t total, uint64_t thousandths)
{
    uint64_t seen = 0;

    for (unsigned us = 0; us < SLOWEST_US; us++) {
        for (int i = 0; i < threads; i++)
            seen += workers[i].times[us];
        if (seen * 1000 >= total * thousandths)
            return us;
    }
    return SLOWEST_US;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: bare MODULE TOKEN-LABEL PIN-FILE THREADS SECONDS [KEYS|token] "
                          "[each]\n");
    return 2;
}

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MAX];
    int threads = argc >= 6 && argc <= 8 ? atoi(argv[4]) : 0;
    double seconds = argc >= 6 ? atof(argv[5]) : 0;
    int keys = 1;
    CK_SESSION_HANDLE session = 0;
    uint64_t total = 0;
    double begin = 0;

    for (int i = 6; i < argc; i++)
        if (strcmp(argv[i], "token") == 0)
            bare.on_token = true;
        else if (strcmp(argv[i], "each") == 0)
            bare.each = true;
        else
            keys = atoi(argv[i]);
    if (threads < 1 || threads > THREADS_MAX || seconds <= 0 || keys < 1 || keys > KEYS_MAX)
        return usage();
    load(argv[1]);
    choose_slot(argv[2]);
    session = open_session();
    login(session, argv[3]);
    find_keys(session, (CK_ULONG)keys);
    bare.shared = keys > 1;
    for (CK_ULONG i = 0; bare.shared && i < bare.count; i++)
        bare.keys[i] = copy_of(session, bare.keys[i]);
    begin = now();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 1;
    while (now() - begin < seconds)
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    atomic_store(&bare.stop, true);
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        total += workers[i].signatures;
    }
    (void)printf("%.0f", (double)total / (now() - begin));
    if (bare.each)
        (void)printf(" %u %u", at(workers, threads, total, 500), at(workers, threads, total, 990));
    (void)printf("\n");
    return bare.module->C_Finalize(NULL) == CKR_OK ? 0 : 1;
}
