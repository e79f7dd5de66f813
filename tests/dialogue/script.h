/* A dialogue, read: its configuration, its logins, its steps. The format is
 * described in README.md. All memory is the script's. */
#ifndef TESTS_DIALOGUE_SCRIPT_H
#define TESTS_DIALOGUE_SCRIPT_H

#include "rules/base/arena.h"

enum step_kind {
    STEP_SAY,    /* octets from a far end */
    STEP_DO,     /* a far end's <event> */
    STEP_LINE,   /* a far end hears a line of this pattern */
    STEP_OCTETS, /* a far end hears exactly these octets */
    STEP_ALL,    /* all that it has heard is of this pattern */
    STEP_REPLY,  /* a client hears a reply of any number of lines */
    STEP_FIELD,  /* an upstream hears a header field, continued or not */
    STEP_SEE,    /* a far end sees an <event> */
    STEP_CLOCK,
    STEP_LOG,        /* a line of the decision log contains this JSON */
    STEP_NO_LOG,     /* none does */
    STEP_SERVER_LOG, /* a line of the server log is of this pattern */
    STEP_MAILDIR,    /* so many messages lie in the maildir */
    STEP_MESSAGE,    /* the next line of the newest of them */
    STEP_LOGINS,     /* hold, answer or fail what is asked */
    STEP_JOBS,       /* hold or run what is started */
    STEP_PROBE,      /* the upstreams are asked for their EHLO */
    STEP_PROBED,     /* … and that is over: "yes" or "no" */
    STEP_CROWD,      /* the server is nearly full: "on" or "off" */
    STEP_STRICT_LOG, /* the decision log is strict: "failing" or "written" */
    STEP_STOP,       /* the server stops */
    STEP_ABORT,      /* … at once */
    STEP_RELOAD      /* the next configuration's policy holds from now on */
};

struct step {
    enum step_kind kind;
    const char *file;
    size_t line;
    char side; /* 'C' or 'U' */
    size_t number;
    struct str text; /* SAY and OCTETS: the octets; else as written */
    uint64_t ms;     /* CLOCK */
};

/* What a users file would hold of the password. */
enum script_keys { KEYS_HASH, KEYS_SCRAM, KEYS_CRAM };

struct script_user {
    struct str name, password;
    enum script_keys keys;
    struct str addresses[8], groups[8], may_act_as[8];
    size_t address_count, group_count, may_act_as_count;
};

/* A bearer token that the jwt back-end accepts. */
struct script_token {
    struct str text, user;
    uint64_t expires_ms; /* behind each answer; 0: never */
};

enum {
    MODE_WHOLE = 1,
    MODE_SPLIT = 2,
    MODE_FAULT = 4,
    MODE_LATE = 8,
    MODE_ALL = 15
};

struct script {
    const char *path;
    struct arena arena;
    struct str config;    /* YAML */
    struct str candidate; /* the YAML of its `shadow`; n 0: none */
    struct str next;      /* the YAML that a reload finds; n 0: none */
    struct str secrets;   /* of the file with that name; n 0: none */
    struct script_user users[8];
    size_t user_count;
    struct script_token tokens[8];
    size_t token_count;
    unsigned modes;
    struct step *steps;
    size_t step_count, step_capacity;
};

/* 0; or -1, and what is wrong has been printed with its place. */
int script_read(struct script *script, const char *path);
void script_release(struct script *script);

#endif
