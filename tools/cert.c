/* agon cert: certificates and tokens that coordinator and workers prove themselves with. */
#include "engine/files.h"
#include "net/auth.h"
#include "net/cert.h"
#include "net/nkey.h"
#include "tools/command.h"
#include "tools/ui.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 24 * 3600, DEFAULT_DAYS = 365 };

typedef struct cert {
    const char *dir, *client, *out, *token, *tokens, *show, *nkey, *days_text;
    bool renew;
    int days, hosts;
    char** host; /* (hosts) borrowed from argv; the list is owned */
} cert;

/* ---- words -------------------------------------------------------------------------------- */

/* Takes "--host HOST" and "--host=HOST" out of argv, as often as they come. */
static int take_hosts(int* argc, char** argv, cert* c) {
    int kept = 1;
    c->host = calloc((size_t)*argc, sizeof *c->host);
    if (!c->host)
        return agon_ui_usage("cert", "no memory for %d words", *argc);
    for (int i = 1; i < *argc; i++) {
        if (strncmp(argv[i], "--host=", 7) == 0) {
            c->host[c->hosts++] = argv[i] + 7;
        } else if (strcmp(argv[i], "--host") != 0) {
            argv[kept++] = argv[i];
        } else if (i + 1 < *argc) {
            c->host[c->hosts++] = argv[++i];
        } else {
            return agon_ui_usage("cert", "option '--host' needs a name or an address");
        }
    }
    *argc = kept;
    return 0;
}

static int read_days(cert* c) {
    char* end = NULL;
    if (!c->days_text)
        return 0;
    const long days = strtol(c->days_text, &end, 10);
    if (end == c->days_text || *end || days < 1 || days > AGON_CERT_DAYS_MAX)
        return agon_ui_usage("cert", "days are '%s', expected 1 to %d", c->days_text,
                             AGON_CERT_DAYS_MAX);
    c->days = (int)days;
    return 0;
}

/* One thing at a time, with all that it needs and nothing else. */
static int check_words(const cert* c) {
    const bool coordinator = c->hosts > 0 || c->renew;
    if (coordinator + !!c->client + !!c->token + !!c->nkey + !!c->show != 1)
        return agon_ui_usage("cert", "expected one of --host, --renew, --client, --token, --nkey, "
                                     "--show");
    if ((coordinator || c->client) != !!c->dir)
        return agon_ui_usage("cert", c->dir ? "--dir goes with --host, --renew and --client"
                                            : "where is the authority? --dir DIR is missing");
    if ((c->client || c->token) != !!c->out)
        return agon_ui_usage("cert", c->out ? "--out goes with --client and --token"
                                            : "where to? --out is missing");
    if (!!c->token != !!c->tokens)
        return agon_ui_usage("cert", "--token NAME and --tokens FILE go together");
    if (c->days_text && !coordinator && !c->client)
        return agon_ui_usage("cert", "--days goes with --host, --renew and --client");
    return 0;
}

/* ---- showing ------------------------------------------------------------------------------ */

static void print_facts(const char* path, const agon_cert_facts* facts) {
    char until[32];
    const time_t when = (time_t)facts->until, now = time(NULL);
    struct tm parts;
    strftime(until, sizeof until, "%Y-%m-%d %H:%M", gmtime_r(&when, &parts));
    printf("%s\n  name   %s\n", path, facts->name);
    if (facts->hosts[0])
        printf("  hosts  %s\n", facts->hosts);
    if (!facts->authority)
        printf("  by     %s\n", facts->signer);
    if (when < now)
        printf("  until  %s UTC: %sexpired%s\n", until, agon_ui_colour(stdout, AGON_RED),
               agon_ui_colour(stdout, AGON_PLAIN));
    else
        printf("  until  %s UTC, %lld days\n", until, (long long)(when - now) / DAY);
}

/* Prints a certificate of a directory, if it is there; returns 1 when it is, and *code. */
static int show_one(const char* dir, const char* name, int* code) {
    char path[AGON_PATH_SIZE], key[AGON_PATH_SIZE], authority[AGON_PATH_SIZE];
    agon_cert_facts facts;
    agon_error error;
    if (snprintf(path, sizeof path, "%s/%s.pem", dir, name) >= (int)sizeof path ||
        access(path, F_OK) != 0)
        return 0;
    snprintf(key, sizeof key, "%s/%s.key", dir, name);
    snprintf(authority, sizeof authority, "%s/ca.pem", dir);
    int rc = agon_cert_read(path, &facts, &error);
    if (!rc) {
        const bool has_key = strcmp(name, "ca") != 0 || access(key, F_OK) == 0;
        print_facts(path, &facts);
        rc = agon_cert_check(path, authority, has_key ? key : NULL, &error);
    }
    if (rc)
        *code = agon_ui_error(&error);
    else if (facts.until < (int64_t)time(NULL))
        *code = AGON_EXIT_FAULT;
    return 1;
}

static int show(const char* dir) {
    static const char* const names[] = {"ca", "server", "client"};
    int code = AGON_EXIT_OK, found = 0;
    agon_error error;
    for (int i = 0; i < 3; i++)
        found += show_one(dir, names[i], &code);
    if (found)
        return agon_ui_finish(code);
    agon_fail(&error, AGON_EMISSING, "%s has none of ca.pem, server.pem, client.pem", dir);
    agon_hint(&error, "agon cert --dir %.100s --host HOST makes the first two", dir);
    return agon_ui_error(&error);
}

/* ---- making ------------------------------------------------------------------------------- */

static int make_nkey(const char* path) {
    char public[AGON__NKEY_SIZE];
    agon_error error;
    if (agon_nkey_make(path, public, &error) != AGON_OK)
        return agon_ui_error(&error);
    printf("%s\n", public);
    return agon_ui_finish(AGON_EXIT_OK);
}

static int make(const cert* c) {
    agon_error error;
    int rc;
    if (c->client)
        rc = agon_cert_client(c->dir, c->client, c->out, c->days, &error);
    else if (c->token)
        rc = agon_token_make(c->token, c->out, c->tokens, &error);
    else
        rc = agon_cert_server(c->dir, c->hosts, c->host, c->days, c->renew, &error);
    if (rc)
        return agon_ui_error(&error);
    if (c->client)
        printf("%s: client.pem, client.key and ca.pem of worker %s, for %d days\n"
               "Copy the directory to it; it is all that it needs.\n",
               c->out, c->client, c->days);
    else if (c->token)
        printf("%s: the token of worker %s; give it to nobody else\n"
               "%s: its line, for the coordinator\n",
               c->out, c->token, c->tokens);
    else
        printf("%s: server.pem and server.key, for %d days, signed by ca.pem\n"
               "Workers need ca.pem. Keep ca.key and server.key here.\n",
               c->dir, c->days);
    return agon_ui_finish(AGON_EXIT_OK);
}

int agon_cmd_cert(int argc, char** argv) {
    cert c = {.days = DEFAULT_DAYS};
    int words;
    const agon_option options[] = {
        {"--dir", NULL, &c.dir},        {"--client", NULL, &c.client}, {"--out", NULL, &c.out},
        {"--token", NULL, &c.token},    {"--tokens", NULL, &c.tokens}, {"--show", NULL, &c.show},
        {"--days", NULL, &c.days_text}, {"--nkey", NULL, &c.nkey},     {"--renew", &c.renew, NULL}};
    int code = take_hosts(&argc, argv, &c);
    code = code ? code : agon_ui_options(argc, argv, options, 9, &words);
    if (!code && words > 0)
        code = agon_ui_usage("cert", "'%s' is a word too many", argv[1]);
    code = code ? code : read_days(&c);
    code = code ? code : check_words(&c);
    if (!code)
        code = c.show ? show(c.show) : c.nkey ? make_nkey(c.nkey) : make(&c);
    free(c.host);
    return code;
}
