#include "rules/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

static size_t lists_max(size_t max_keys)
{
    return max_keys / 8 + 64;
}

static size_t boosts_max(size_t max_keys)
{
    return max_keys / 64 + 64;
}

size_t ledger_octets(size_t max_keys)
{
    return sizeof(struct ledger_head) + budget_table_octets(max_keys) +
           distinct_sets_octets(max_keys) + distinct_sets_octets(2 * max_keys) +
           dynamic_list_octets(lists_max(max_keys)) +
           expiring_table_octets(max_keys, 1) +
           expiring_table_octets(boosts_max(max_keys), sizeof(struct boost));
}

static bool place_tables(struct ledger *ledger, size_t max_keys)
{
    char *at = (char *)(ledger->head + 1);
    ledger->budgets = budget_table_place(at, max_keys);
    at += budget_table_octets(max_keys);
    ledger->distinct = distinct_sets_place(at, max_keys, DISTINCT_REFUSES);
    at += distinct_sets_octets(max_keys);
    ledger->recipients =
        distinct_sets_place(at, 2 * max_keys, DISTINCT_FORGETS);
    at += distinct_sets_octets(2 * max_keys);
    ledger->lists = dynamic_list_place(at, lists_max(max_keys));
    at += dynamic_list_octets(lists_max(max_keys));
    ledger->nets = expiring_table_place(at, max_keys, 1);
    at += expiring_table_octets(max_keys, 1);
    ledger->boosts =
        expiring_table_place(at, boosts_max(max_keys), sizeof(struct boost));
    return ledger->budgets != NULL && ledger->distinct != NULL &&
           ledger->recipients != NULL && ledger->lists != NULL &&
           ledger->nets != NULL && ledger->boosts != NULL;
}

static bool make_tables(struct ledger *ledger, size_t max_keys)
{
    ledger->budgets = budget_table_new(max_keys);
    ledger->distinct = distinct_sets_new(max_keys, DISTINCT_REFUSES);
    ledger->recipients = distinct_sets_new(2 * max_keys, DISTINCT_FORGETS);
    ledger->lists = dynamic_list_new(lists_max(max_keys));
    ledger->nets = expiring_table_new(max_keys, 1);
    ledger->boosts =
        expiring_table_new(boosts_max(max_keys), sizeof(struct boost));
    return ledger->budgets != NULL && ledger->distinct != NULL &&
           ledger->recipients != NULL && ledger->lists != NULL &&
           ledger->nets != NULL && ledger->boosts != NULL;
}

struct ledger *ledger_place(void *memory, size_t max_keys,
                            const uint8_t secret[16], unsigned slot)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    memcpy(ledger->secret, secret, sizeof ledger->secret);
    ledger->slot = slot;
    ledger->head = memory;
    if (!place_tables(ledger, max_keys)) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

/* A piece of memory for each table: a kernel may refuse one that is larger
 * than what the machine has, untouched or not. */
struct ledger *ledger_new(size_t max_keys, const uint8_t secret[16])
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    memcpy(ledger->secret, secret, sizeof ledger->secret);
    ledger->head = zeroed_block_new(sizeof *ledger->head, &ledger->owned);
    if (ledger->head == NULL || !make_tables(ledger, max_keys)) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    budget_table_free(ledger->budgets);
    distinct_sets_free(ledger->distinct);
    distinct_sets_free(ledger->recipients);
    dynamic_list_free(ledger->lists);
    expiring_table_free(ledger->nets);
    expiring_table_free(ledger->boosts);
    explicit_bzero(ledger->secret, sizeof ledger->secret);
    free(ledger->owned);
    free(ledger);
}
