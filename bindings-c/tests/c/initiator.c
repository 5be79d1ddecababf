/* The sending end: what it takes, what becomes of messages without a reply, rules. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "mllp.h"
#include "tests.h"

static uint8_t memory[256];
static mllp_initiator_t initiator;
static mllp_initiator_event_t event;

/* `asks` is what follows MSH-12. */
static mllp_status_t submit_asking(const char *id, const char *asks, mllp_handle_t *handle)
{
    char payload[256];
    int len = snprintf(payload, sizeof payload,
                       "MSH|^~\\&|A|B|C|D|2026||ADT^A01|%s|P|2.5%s\r", id, asks);
    return mllp_initiator_submit(&initiator, (const uint8_t *)payload, (size_t)len, 0, handle);
}

static mllp_status_t submit(const char *id, mllp_handle_t *handle)
{
    return submit_asking(id, "", handle);
}

static void open_link(const char *text)
{
    mllp_initiator_config_t config = mllp_initiator_config_default();
    mllp_rules_t rules;
    CHECK(mllp_rules_parse(&rules, (const uint8_t *)text, strlen(text)) == MLLP_OK);
    config.rules = &rules;
    config.reply = 1000;
    config.back_off = 500;
    config.max_attempts = 2;
    CHECK(mllp_initiator_init(&initiator, &config, memory, sizeof memory) == MLLP_OK);
    memset(&rules, 0, sizeof rules); /* they were copied */
}

static void write_next(mllp_handle_t handle, uint64_t now)
{
    mllp_handle_t next;
    CHECK(mllp_initiator_wants_connection(&initiator, now));
    CHECK(mllp_initiator_connected(&initiator) == MLLP_OK);
    CHECK(!mllp_initiator_wants_connection(&initiator, now));
    CHECK(mllp_initiator_next_to_send(&initiator, now, &next) == MLLP_OK && next == handle);
    CHECK(mllp_initiator_sent(&initiator, next, now) == MLLP_OK);
    CHECK(mllp_initiator_next_to_send(&initiator, now, &next) == MLLP_NOT_FOUND);
}

static void expect(mllp_link_event_kind_t kind, uint64_t now)
{
    CHECK(mllp_initiator_next_event(&initiator, now, &event) == MLLP_OK);
    CHECK(event.kind == kind);
}

static void receive(const char *reply, uint64_t now)
{
    uint8_t frame[128];
    size_t len, taken;
    CHECK(mllp_encode((const uint8_t *)reply, strlen(reply), frame, sizeof frame, &len) == MLLP_OK);
    CHECK(mllp_initiator_receive(&initiator, frame, len, now, &taken) == MLLP_OK && taken == len);
}

static void what_it_takes(void)
{
    mllp_handle_t handle, first = 0;
    char id[MLLP_INITIATOR_ID + 2];
    subject.part = "what it takes";
    open_link("");
    for (int number = 0; number < MLLP_INITIATOR_WINDOW; number++) {
        snprintf(id, sizeof id, "M%d", number);
        CHECK(submit(id, &handle) == MLLP_OK);
        first = number == 0 ? handle : first;
    }
    CHECK(mllp_initiator_open_messages(&initiator) == MLLP_INITIATOR_WINDOW);
    REFUSED(MLLP_ERR_FULL, handle, submit("M99", &handle));
    CHECK(mllp_initiator_withdraw(&initiator, first) == MLLP_OK);
    CHECK(mllp_initiator_withdraw(&initiator, first) == MLLP_NOT_FOUND);
    REFUSED(MLLP_ERR_ID_IN_USE, handle, submit("M5", &handle));
    memset(id, 'M', sizeof id);
    id[MLLP_INITIATOR_ID + 1] = 0;
    REFUSED(MLLP_ERR_ID_TOO_LONG, handle, submit(id, &handle));
    REFUSED(MLLP_ERR_RESERVED_BYTE, handle, submit("M\x1C", &handle));
    id[MLLP_INITIATOR_ID] = 0;
    CHECK(submit(id, &handle) == MLLP_OK && handle != first);
}

static void no_reply(void)
{
    mllp_handle_t handle;
    subject.part = "no reply";
    open_link("");
    CHECK(mllp_initiator_next_deadline(&initiator) == MLLP_NEVER);
    CHECK(submit("M1", &handle) == MLLP_OK);
    CHECK(mllp_initiator_connect_failed(&initiator, 0) == MLLP_OK);
    CHECK(!mllp_initiator_wants_connection(&initiator, 0));
    uint64_t now = mllp_initiator_next_deadline(&initiator);
    CHECK(now != MLLP_NEVER && mllp_initiator_on_time(&initiator, now) == MLLP_OK);
    write_next(handle, now);
    CHECK(mllp_initiator_next_deadline(&initiator) == now + 1000);
    CHECK(mllp_initiator_on_time(&initiator, now + 1000) == MLLP_OK);
    expect(MLLP_LINK_RETRY, now + 1000);
    CHECK(event.handle == handle && event.at == now + 1500);
    CHECK(event.verdict.reply == MLLP_REPLY_NO_REPLY && event.reply.data == NULL);
    expect(MLLP_LINK_RECONNECT, now + 1000);
    CHECK(mllp_initiator_next_event(&initiator, now + 1000, &event) == MLLP_PARTIAL);
    now += 1500;
    CHECK(mllp_initiator_disconnected(&initiator, now) == MLLP_OK);
    while (!mllp_initiator_wants_connection(&initiator, now) && now < 1000000)
        now++;
    write_next(handle, now);
    CHECK(mllp_initiator_on_time(&initiator, now + 1000) == MLLP_OK);
    expect(MLLP_LINK_VERDICT, now + 1000); /* its second attempt was the last */
    CHECK(event.handle == handle && event.verdict.action == MLLP_ACTION_RETRY);
    CHECK(mllp_initiator_open_messages(&initiator) == 0);
}

static void expect_fate(mllp_fate_t fate, const char *name, uint64_t now)
{
    expect(MLLP_LINK_VERDICT, now);
    CHECK(event.fate == fate && strcmp(mllp_fate_name(event.fate), name) == 0);
    CHECK(mllp_initiator_next_event(&initiator, now, &event) == MLLP_PARTIAL && event.fate == 0);
}

static void fates(void)
{
    mllp_handle_t handle;
    subject.part = "fates";
    open_link("no-reply=fail, *=retry");
    CHECK(submit_asking("M1", "|||NE|NE", &handle) == MLLP_OK);
    write_next(handle, 0);
    CHECK(mllp_initiator_next_deadline(&initiator) == 0); /* there is an event to take */
    expect_fate(MLLP_FATE_UNASKED, "unasked", 0);
    CHECK(mllp_initiator_disconnected(&initiator, 1) == MLLP_OK);
    CHECK(mllp_initiator_next_event(&initiator, 1, &event) == MLLP_PARTIAL);

    CHECK(submit_asking("M2", "|||AL|AL", &handle) == MLLP_OK);
    write_next(handle, 1);
    receive("MSH|^~\\&|||||2026||ACK|1|P|2.5\rMSA|CA|M2\r", 2);
    expect(MLLP_LINK_STORED, 2);
    CHECK(event.handle == handle && event.reply.len > 0);
    CHECK(mllp_initiator_on_time(&initiator, mllp_initiator_next_deadline(&initiator)) == MLLP_OK);
    expect_fate(MLLP_FATE_STORED, "stored", 2);

    for (int left = 0; left < 2; left++) {
        mllp_fate_t fate = left ? MLLP_FATE_UNCERTAIN : MLLP_FATE_NOT_SENT;
        CHECK(submit("M3", &handle) == MLLP_OK);
        CHECK(mllp_initiator_disconnected(&initiator, 3) == MLLP_OK);
        CHECK(mllp_initiator_next_event(&initiator, 3, &event) == MLLP_PARTIAL);
        CHECK(mllp_initiator_connected(&initiator) == MLLP_OK);
        CHECK(mllp_initiator_next_to_send(&initiator, 3, &handle) == MLLP_OK);
        if (!left)
            CHECK(mllp_initiator_not_sent(&initiator, handle) == MLLP_OK);
        CHECK(mllp_initiator_disconnected(&initiator, 4) == MLLP_OK);
        expect_fate(fate, left ? "uncertain" : "not_sent", 4);
    }
}

static void strays(void)
{
    mllp_handle_t handle;
    subject.part = "strays";
    open_link("error=suspend+warn");
    CHECK(submit("M1", &handle) == MLLP_OK);
    write_next(handle, 0);
    receive("not HL7", 1);
    expect(MLLP_LINK_STRAY, 1);
    CHECK(event.stray == MLLP_STRAY_NOT_HL7 && event.reply.len == 7);
    receive("MSH|^~\\&|||||2026||ACK|1|P|2.5\rMSA|AA|M2\r", 1);
    expect(MLLP_LINK_STRAY, 1);
    CHECK(event.stray == MLLP_STRAY_FOREIGN);
    CHECK(strcmp(mllp_stray_name(event.stray), "foreign") == 0);
    receive("MSH|^~\\&|||||2026||ACK|2|P|2.5\rMSA|AE|M1\r", 2);
    expect(MLLP_LINK_VERDICT, 2);
    CHECK(event.handle == handle && event.verdict.action == MLLP_ACTION_SUSPEND);
    CHECK(event.verdict.warn && event.verdict.rule == 1);
    CHECK(event.verdict.condition == MLLP_RULE_ERROR);
    CHECK(mllp_initiator_is_suspended(&initiator));
    CHECK(mllp_initiator_resume(&initiator) == MLLP_OK);
    CHECK(!mllp_initiator_is_suspended(&initiator));
}

static void rules_that_are_wrong(void)
{
    static const struct {
        const char *text;
        mllp_status_t status;
        size_t at;
    } cases[] = {
        {"AE=retry, no-msa=accept", MLLP_OK, 0},
        {"AE=retry, what=fail", MLLP_ERR_UNKNOWN_CONDITION, 2},
        {"AE=what", MLLP_ERR_UNKNOWN_ACTION, 1},
        {"AE", MLLP_ERR_MISSING_ACTION, 1},
        {"AE=fail no-reply=accept", MLLP_ERR_UNSAFE_ACCEPT, 2},
        {"AA=fail AE=fail AR=fail CA=fail CE=fail CR=fail AA=fail AE=fail AR=fail CA=fail CE=fail "
         "CR=fail AA=fail AE=fail AR=fail CA=fail CE=fail",
         MLLP_ERR_TOO_MANY_RULES, 17},
        {"\xFF", MLLP_ERR_INVALID_ARGUMENT, 0},
    };
    mllp_rules_t rules;
    mllp_verdict_t verdict;
    subject.part = "rules";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint8_t *text = (const uint8_t *)cases[i].text;
        size_t len = strlen(cases[i].text);
        subject.numbers[0] = i;
        if (cases[i].status == MLLP_OK)
            CHECK(mllp_rules_parse(&rules, text, len) == MLLP_OK);
        else
            REFUSED(cases[i].status, rules, mllp_rules_parse(&rules, text, len));
        CHECK(mllp_rules_error_at(text, len) == cases[i].at);
    }
    CHECK(mllp_rules_init(&rules) == MLLP_OK);
    CHECK(mllp_rules_judge(&rules, MLLP_REPLY_AR, &verdict) == MLLP_OK);
    CHECK(verdict.action == MLLP_ACTION_RETRY && verdict.warn && verdict.rule == 3);
    CHECK(mllp_rules_parse(&rules, NULL, 0) == MLLP_OK);
    CHECK(mllp_rules_judge(&rules, MLLP_REPLY_AR, &verdict) == MLLP_OK);
    CHECK(verdict.action == MLLP_ACTION_RETRY && verdict.warn && verdict.rule == 0);
    CHECK(strcmp(mllp_action_name(verdict.action), "retry") == 0);
    CHECK(strcmp(mllp_reply_kind_name(verdict.reply), "AR") == 0);
    CHECK(strcmp(mllp_rule_condition_name(MLLP_RULE_ANY), "*") == 0);
}

static void answers(void)
{
    static const uint8_t reply[] = "MSH|^~\\&|||||2026||ACK|1|P|2.5\rMSA|AA|M1\r";
    const uint8_t *id = (const uint8_t *)"M12";
    CHECK(mllp_answers(reply, sizeof reply - 1, id, 2, MLLP_SCAN_SINGLE_BYTE) == MLLP_OK);
    CHECK(mllp_answers(reply, sizeof reply - 1, id, 3, MLLP_SCAN_SINGLE_BYTE) == MLLP_NOT_FOUND);
    CHECK(mllp_answers(reply, sizeof reply - 1, NULL, 0, MLLP_SCAN_SINGLE_BYTE) == MLLP_OK);
}

void test_initiator(void)
{
    memset(&subject, 0, sizeof subject);
    subject.name = "initiator";
    what_it_takes();
    no_reply();
    fates();
    strays();
    rules_that_are_wrong();
    answers();
}
