/* mllp.h: MLLP framing, HL7 v2 headers and acknowledgments, and both ends of a link. C99 and C++.
 *
 * Made by cbindgen from the sources in bindings-c: do not edit. MIT OR Apache-2.0.
 *
 * The contract, once for everything below:
 *
 *  1 Every name begins with mllp_ or MLLP_. A function that begins with the name of a type is a
 *    function of that type.
 *  2 A state is a struct of the caller's, by value, prepared by its _init function or by the call
 *    that gives it out. There is nothing to free, no callback, no global, no allocation, no clock and
 *    no system call. Members that begin with an underscore are private. A state that was never
 *    prepared but zeroed, or is of another type, is answered with MLLP_ERR_NOT_INITIALISED. A state
 *    may be moved by copying it; of two copies only one may be used further when it was given memory.
 *  3 Memory that is given to a state at its _init belongs to the state for as long as it is used. It
 *    need not be initialised, and must not move.
 *  4 What can go wrong returns an mllp_status_t: MLLP_OK, a condition above 0 (the call did its work,
 *    and this is the answer), or an error below 0 (the call did nothing, except that an _init leaves
 *    its state unprepared). With MLLP_NOT_FOUND a slice that is given out is empty and its data NULL,
 *    and a state is not prepared. What cannot go wrong returns its answer: for arguments that break a
 *    rule, 0 or a slice whose data is NULL, if it does not say otherwise.
 *  5 Inputs come first, outputs last. Outputs are written only by a status of 0 or above, except the
 *    bytes of a buffer too small for what was to be written.
 *  6 A buffer is a pointer and a length in bytes; NULL with length 0 is an empty one. An mllp_slice_t
 *    that a call gives out borrows from the buffer or the state it was given: it is valid until that
 *    buffer changes or a function that changes the state is called. Buffers and structs of one call
 *    must not overlap where one of them is written.
 *  7 NULL elsewhere is answered with MLLP_ERR_NULL, a number that is no constant of its type with
 *    MLLP_ERR_INVALID_ARGUMENT, never with undefined behaviour.
 *  8 What is const is not changed. Different states may be used by different threads; one state by
 *    one thread at a time.
 *  9 Times are milliseconds of a clock of the caller's that never goes back, as uint64_t.
 * 10 Bytes of a message are health data: no name, status or text of this library ever holds one.
 * 11 Sizes of structs may change with the minor version before 1.0: compile and link with the header
 *    and the library of one version. Numbers of constants never change.
 */


#ifndef MLLP_H
#define MLLP_H

#include <stddef.h>
#include <stdint.h>

// How many errors an acknowledgment can have.
#define MLLP_MAX_ERRORS 16

// How many errors a header can have.
#define MLLP_MAX_HEADER_ERRORS 6

// `<SB>`, the start block character (MLLP release 1, C.4.2).
#define MLLP_START_BLOCK 11

// `<EB>`, the end block character (MLLP release 1, C.4.2).
#define MLLP_END_BLOCK 28

// `<CR>`, the trailer behind the end block, and the segment terminator of HL7 v2.
#define MLLP_CARRIAGE_RETURN 13

// How much longer than its payload a frame of MLLP is, in bytes.
#define MLLP_FRAME_OVERHEAD 3

// How many messages of a link can be without a verdict at a time.
#define MLLP_INITIATOR_WINDOW 16

// The longest MSH-10 of a message that is sent, in bytes: as long as HL7 v2.7 and later allow it.
#define MLLP_INITIATOR_ID 199

// How many messages of a connection can be without an answer at a time; with commit blocks half as
// many.
#define MLLP_RESPONDER_WINDOW 64

// How many bytes of a header are kept of a message that passes by.
#define MLLP_RESPONDER_HEADER 512

// A deadline that never comes.
#define MLLP_NEVER UINT64_MAX

// How many rules a list holds.
#define MLLP_MAX_RULES 16

// Changes of this number may break callers.
#define MLLP_VERSION_MAJOR 0

// Before 1.0, changes of this number may break callers.
#define MLLP_VERSION_MINOR 1

// Corrections.
#define MLLP_VERSION_PATCH 0

// `MLLP_VERSION_MAJOR * 1000000 + MLLP_VERSION_MINOR * 1000 + MLLP_VERSION_PATCH`, to compare.
#define MLLP_VERSION_NUMBER 1000

// How an acknowledgment mirrors its message: `MLLP_POLICY_*`.
typedef uint32_t mllp_policy_t;

// MSA-1, table 0008: `MLLP_ACK_*`.
typedef uint32_t mllp_ack_code_t;

// The fields of a message header segment as they stand, MSH-1 to MSH-21. They borrow from the
// message.
//
// `mllp_message_header_field` gives one. A field that is empty or missing is an empty slice; all its
// components and repetitions are in it.
typedef struct mllp_message_header_t {
    uint64_t _state[17];
} mllp_message_header_t;

// How delimiters are told from bytes that only look like them: `MLLP_SCAN_*`.
//
// `mllp_character_set_scan` tells the right one for a value of MSH-18.
typedef uint32_t mllp_scan_t;

// Bytes lent to the caller. `data` may be NULL when `len` is 0.
//
// They belong to the buffer or the state that was passed in, and are gone when that is changed.
typedef struct mllp_slice_t {
    // The first byte.
    const uint8_t *data;
    // How many bytes.
    size_t len;
} mllp_slice_t;

// ERR-3, table 0357: what is wrong with a message. The numbers are those of the table.
typedef uint32_t mllp_error_code_t;

// ERR-4, table 0516: `MLLP_SEVERITY_*`.
typedef uint32_t mllp_severity_t;

// ERR-2: where in the message the error is. Numbers count from 1; 0 leaves the component out.
typedef struct mllp_location_t {
    // The segment ID, `PID`; empty for no location at all.
    struct mllp_slice_t segment;
    // Which segment of that ID in the message, not its set ID.
    uint32_t occurrence;
    // The field.
    uint32_t field;
    // The repetition of the field.
    uint32_t repetition;
    // The component of the repetition.
    uint32_t component;
    // The subcomponent of the component.
    uint32_t subcomponent;
} mllp_location_t;

// One ERR segment, or one repetition of ERR-1 before version 2.5.
//
// Begin with all of it zeroed: an error of severity `E` without a location or a text.
typedef struct mllp_error_detail_t {
    // ERR-3: what is wrong.
    mllp_error_code_t code;
    // ERR-4: how bad it is.
    mllp_severity_t severity;
    // ERR-2: where it is.
    struct mllp_location_t location;
    // ERR-5, the application's own code: identifier, text, coding system; empty parts are left out.
    struct mllp_slice_t application[3];
    // ERR-7: for the people who run the sender. Never put health data here.
    struct mllp_slice_t diagnostic;
    // ERR-8: for the sender's user.
    struct mllp_slice_t user_message;
} mllp_error_detail_t;

// An acknowledgment: what goes into it, all of it borrowed until it has been written.
//
// Make one with `mllp_ack_always` or `mllp_ack_conformant` and set further members. Whatever they
// hold, the result is `MSH`, `MSA` and, for errors, `ERR` segments and nothing else: text is escaped,
// and copied bytes that would end a segment or the frame around it are escaped too.
typedef struct mllp_ack_t {
    // How the message is mirrored.
    mllp_policy_t policy;
    // MSA-1.
    mllp_ack_code_t code;
    // The header of the message; NULL when it has no usable MSH.
    const struct mllp_message_header_t *header;
    // How the header was read, for names in Shift_JIS and the like.
    mllp_scan_t scan;
    // 1: takes the names (MSH-3 to MSH-6), trigger event, processing ID and character set of the
    // message as empty: for an answer that would be too long with them.
    uint32_t brief;
    // MSH-10 of the acknowledgment, new and unique.
    struct mllp_slice_t control_id;
    // MSH-7 of the acknowledgment, as `YYYYMMDDHHMMSS[+ZZZZ]`: the time of the answer.
    struct mllp_slice_t timestamp;
    // Text for people: MSA-3, or ERR-8 from version 2.7 on, where MSA-3 is withdrawn.
    struct mllp_slice_t text;
    // What is wrong with the message.
    const struct mllp_error_detail_t *errors;
    // How many `errors`, up to `MLLP_MAX_ERRORS`.
    size_t error_count;
    // MSA-4, for the sequence number protocol (2.9.1), where `has_expected_sequence_number` is not 0.
    int64_t expected_sequence_number;
    // 0: there is no MSA-4.
    uint32_t has_expected_sequence_number;
    // MSH-3 of the acknowledgment, with its delimiters; without `data` it mirrors MSH-5.
    struct mllp_slice_t sending_application;
    // MSH-4 of the acknowledgment, with its delimiters; without `data` it mirrors MSH-6.
    struct mllp_slice_t sending_facility;
    // MSH-15 of the acknowledgment: empty, or what an application acknowledgment in enhanced mode
    // asks for itself (2.8.3.2).
    struct mllp_slice_t accept_acknowledgment_type;
    // MSH-16 of the acknowledgment: empty, or `NE` in an application acknowledgment in enhanced mode.
    struct mllp_slice_t application_acknowledgment_type;
    // MSH-9.3 of the acknowledgment. Empty: `ACK` by the policy `conformant` from 2.4 on, none by the
    // policy `always`.
    struct mllp_slice_t message_structure;
    // MSH-18 of the acknowledgment, with its repetitions; without `data` it is the message's, as a rule
    // where anything is not ASCII. The texts and names must be in this set; nothing here converts
    // them. Give it where `text` is not ASCII and the message names no set.
    struct mllp_slice_t character_set;
    // MSH-21 of the acknowledgment, with its delimiters. Empty: none, because the profile of the message
    // does not describe the acknowledgment.
    struct mllp_slice_t message_profile_identifier;
} mllp_ack_t;

// What a call returns: `MLLP_OK`, a condition above 0, or an error below 0.
//
// The numbers never change. Errors come in blocks: from -1 on what any call can return, from -100
// on frames, from -200 on messages, from -300 on acknowledgments, from -400 on links.
typedef int32_t mllp_status_t;

// The bytes that delimit a frame.
typedef struct mllp_framing_t {
    // Starts a frame.
    uint8_t start_block;
    // Ends it.
    uint8_t end_block;
    // Follows the end block.
    uint8_t trailer;
    // 0: nothing follows the end block, and `trailer` is not looked at.
    uint8_t has_trailer;
} mllp_framing_t;

// The two levels of acknowledgment of the enhanced mode (2.2.4): `MLLP_PHASE_*`.
typedef uint32_t mllp_phase_t;

// What became of a message, at one level of acknowledgment: `MLLP_OUTCOME_*`.
typedef uint32_t mllp_outcome_t;

// A character set of HL7 table 0211, including those that table once had, or one that vendors name in
// MSH-18 although the table lacks it: `MLLP_CHARACTER_SET_*`.
typedef uint32_t mllp_character_set_t;

// What a payload holds: `MLLP_MESSAGE_*`.
typedef uint32_t mllp_message_kind_t;

// What is known of a message beside its header.
typedef struct mllp_receipt_t {
    // Whether the payload holds one message or a batch: see `mllp_message_kind`.
    mllp_message_kind_t kind;
    // 1: bytes of the frame were lost.
    uint32_t damaged;
} mllp_receipt_t;

// What a receiver accepts. A list that is NULL accepts everything, so all of it zeroed does; a list of
// no entries accepts nothing.
typedef struct mllp_accept_lists_t {
    // MSH-9: `ADT` for every event of a type, `ADT^A01` for one.
    const struct mllp_slice_t *message_types;
    // How many.
    size_t message_type_count;
    // MSH-12.1.
    const struct mllp_slice_t *versions;
    // How many.
    size_t version_count;
    // MSH-11.1.
    const struct mllp_slice_t *processing_ids;
    // How many.
    size_t processing_id_count;
} mllp_accept_lists_t;

// The errors of a header, in the order in which the standard checks: MSH-9, MSH-12, MSH-11.
//
// `errors` and `count` fit into an `mllp_ack_t`. They point to text of the library.
typedef struct mllp_header_errors_t {
    // The errors, the first `count` of them.
    struct mllp_error_detail_t errors[MLLP_MAX_HEADER_ERRORS];
    // How many; 0 when the message may be processed.
    size_t count;
    // What they make of the message: rejected if any of them is a rejection.
    mllp_outcome_t outcome;
} mllp_header_errors_t;

// How a stream is cut into frames: `MLLP_PROFILE_*`.
typedef uint32_t mllp_profile_t;

// The settings of a decoder.
typedef struct mllp_config_t {
    // How the stream is cut into frames.
    mllp_profile_t profile;
    // The bytes that delimit a frame.
    struct mllp_framing_t framing;
    // The longest payload that is delivered, in bytes; `SIZE_MAX` for no limit.
    size_t max_payload_len;
} mllp_config_t;

// What goes back for a message by the policy `conformant`, on the connection that it came on.
typedef struct mllp_conformant_answer_t {
    // What goes back; `MLLP_ACK_NONE` for nothing: neither MSH-15 nor MSH-16 asks for it, or the
    // message is an acknowledgment itself.
    mllp_ack_code_t code;
    // The application acknowledgment that the sender waits for on another connection, or
    // `MLLP_ACK_NONE` (2.8.3.2).
    mllp_ack_code_t due;
    // Why the message must not be accepted, where the caller said that it was.
    struct mllp_header_errors_t errors;
} mllp_conformant_answer_t;

// MSH-15 or MSH-16, table 0155, when an acknowledgment is wanted: `MLLP_CONDITION_*`.
typedef uint32_t mllp_condition_t;

// What a received message itself is, told by its MSA-1: `MLLP_INBOUND_*`.
typedef uint32_t mllp_inbound_t;

// What the sender of a message asked for.
typedef struct mllp_request_t {
    // MSH-15.
    mllp_condition_t accept;
    // MSH-16.
    mllp_condition_t application;
    // What the message is.
    mllp_inbound_t inbound;
} mllp_request_t;

// The mode of an exchange: `MLLP_MODE_*`.
typedef uint32_t mllp_mode_t;

// The acknowledgments that a message gets.
typedef struct mllp_decision_t {
    // The mode of the exchange.
    mllp_mode_t mode;
    // The accept acknowledgment, or `MLLP_ACK_NONE`.
    mllp_ack_code_t accept;
    // The application acknowledgment, or `MLLP_ACK_NONE`. In enhanced mode it is an exchange of its
    // own, later.
    mllp_ack_code_t application;
} mllp_decision_t;

// Finds whole frames in a buffer of the caller's: show everything unread, drop `consumed` bytes
// from its front after each call. A frame that arrives byte by byte costs one pass over its bytes.
typedef struct mllp_decoder_t {
    uint64_t _state[24];
} mllp_decoder_t;

// What an event is: `MLLP_EVENT_*`.
typedef uint32_t mllp_event_kind_t;

// What a payload is, as far as framing can tell: `MLLP_FRAME_*`.
typedef uint32_t mllp_frame_kind_t;

// A set of `MLLP_DEVIATION_*`: what a sender did that the grammar does not allow and that cost no
// message.
typedef uint32_t mllp_deviations_t;

// Why a frame was lost: `MLLP_FAULT_*`.
typedef uint32_t mllp_fault_t;

// Why bytes are in no frame: `MLLP_DISCARD_*`.
typedef uint32_t mllp_discard_reason_t;

// What happened in a stream. Which members say something depends on `kind`; the others are 0.
// Offsets count bytes from 0 over the whole stream.
typedef struct mllp_event_t {
    // What it is.
    mllp_event_kind_t kind;
    // What the payload is.
    mllp_frame_kind_t frame_kind;
    // Where the sender left the grammar.
    mllp_deviations_t deviations;
    // Why a frame was lost.
    mllp_fault_t fault;
    // Why bytes are in no frame.
    mllp_discard_reason_t discard_reason;
    // 1: the bytes are only NUL, tab, line feed, carriage return and space: padding, not data.
    uint32_t blank;
    // Where in the stream.
    uint64_t offset;
    // How many bytes.
    uint64_t len;
    // Where the first of the deviations was seen.
    uint64_t deviation_offset;
    // The bytes, borrowed from what the decoder was shown.
    struct mllp_slice_t payload;
} mllp_event_t;

// One step of a decoder.
typedef struct mllp_decoded_t {
    // How many bytes at the front are done with, whatever the event.
    size_t consumed;
    // What happened.
    struct mllp_event_t event;
} mllp_decoded_t;

// Totals of one stream. They wrap.
typedef struct mllp_counters_t {
    // Complete frames.
    uint64_t frames;
    // Frames with an end block inside the payload.
    uint64_t fs_in_payload;
    // Frames with a line feed where the trailer belongs.
    uint64_t lf_for_cr;
    // Frames without their trailer.
    uint64_t missing_cr;
    // Frames with a start block inside the payload.
    uint64_t sb_in_payload;
    // Frames lost to an illegal byte.
    uint64_t illegal_byte;
    // Frames lost to a start block inside them.
    uint64_t sb_in_block;
    // Frames over the limit.
    uint64_t too_large;
    // Frames that the end of the stream cut.
    uint64_t truncated;
    // Bytes of lost frames.
    uint64_t bytes_dropped;
    // Bytes between frames.
    uint64_t bytes_outside;
} mllp_counters_t;

// The delimiters of a message. 0: the message does not define it, and nothing is split at it.
typedef struct mllp_delimiters_t {
    // MSH-1, `|` as a rule.
    uint8_t field;
    // First character of MSH-2, `^` as a rule.
    uint8_t component;
    // Second character of MSH-2, `~` as a rule.
    uint8_t repetition;
    // Third character of MSH-2, a backslash as a rule.
    uint8_t escape;
    // Fourth character of MSH-2, `&` as a rule.
    uint8_t subcomponent;
    // Fifth character of MSH-2, `#` where it is used (version 2.7 and later).
    uint8_t truncation;
} mllp_delimiters_t;

// What the first bytes of a connection belong to, as far as is known: `MLLP_PROTOCOL_*`.
typedef uint32_t mllp_protocol_t;

// Tells the protocol by the first bytes of a connection, which arrive in chunks.
//
// It keeps none of them: the caller does, because all of them, noise included, belong to the
// protocol that is found. A listener says nothing before that, waits for it only so long, and gives
// up when `offset` passes a limit of its own: noise alone never decides anything.
typedef struct mllp_detector_t {
    uint64_t _state[5];
} mllp_detector_t;

// What is known of the beginning of a connection.
typedef struct mllp_detection_t {
    // What it is.
    mllp_protocol_t protocol;
    // How many bytes of noise precede the first significant byte, or have come so far.
    uint64_t offset;
} mllp_detection_t;

// What stands in a message header: `MLLP_MSH_*`, named as in the MSH attribute table of chapter 2.
// Those of whole fields are their numbers, 1 to 21.
typedef uint32_t mllp_msh_t;

// One link, seen from the end that sends messages and gives each one verdict.
//
// The payloads stay with the caller. The loop: take every event; connect when it
// `_wants_connection`, and say what came of it; write the message that is `_next_to_send`, framed
// and whole, and say so with `_sent`; read replies into its `_spare` room and say so with
// `_commit_read`; wait for the socket until `_next_deadline`, then call `_on_time`.
typedef struct mllp_initiator_t {
    uint64_t _state[732];
} mllp_initiator_t;

// A list of rules; the first that applies acts. If none does, AA and CA are accepted, and:
//
// AE, CE: `error=fail+warn`. AR, CR: `reject=retry+warn`. No MSA: `no-msa=suspend+warn`. Another
// MSA-2: `wrong-id=retry+warn`. Nothing: `no-reply=retry`. Not HL7: `not-hl7=retry+warn`.
//
// A retry can deliver twice, which MSH-10 shows. A late, foreign, unreadable or missing reply never
// means delivery: a rule that says so is an error, and `*=accept` is for codes, refusals included.
// `no-msa=accept` trusts any HL7 message that comes back.
typedef struct mllp_rules_t {
    uint64_t _state[11];
} mllp_rules_t;

// The settings of an initiator. Times are in milliseconds.
typedef struct mllp_initiator_config_t {
    // How replies are cut into frames, and the longest one.
    struct mllp_config_t decoder;
    // What a reply, or its absence, means; NULL for the built-in rules. Copied by the `_init`.
    const struct mllp_rules_t *rules;
    // How many messages may be without a reply on the connection at a time. 1 is what the standard
    // expects; more need a receiver that reads ahead. After CA a message does not count.
    size_t window;
    // How delimiters are found in messages and replies.
    mllp_scan_t scan;
    // How often a message is sent in all before the action `retry` becomes `fail`.
    uint32_t max_attempts;
    // For writing one message, from its first byte to its last. 0 waits for ever.
    uint64_t send;
    // From the last byte of a message to its reply. 0 waits for ever.
    uint64_t reply;
    // Behind an end block whose trailer has not come, where the profile `resync` waits for it: a
    // pause of this length ends the reply. 0 waits as long as for the whole reply.
    uint64_t trailer;
    // From the accept acknowledgment to the application acknowledgment, where both are asked for.
    uint64_t application;
    // Before the second attempt; it doubles with each further one.
    uint64_t back_off;
    // The longest time before an attempt.
    uint64_t max_back_off;
} mllp_initiator_config_t;

// The name of a message that was submitted: a number that no other message of this link has.
typedef uint32_t mllp_handle_t;

// Room that the caller may write to: see the call that lends it.
typedef struct mllp_room_t {
    // The first byte.
    uint8_t *data;
    // How many bytes.
    size_t len;
} mllp_room_t;

// What a link reports: `MLLP_LINK_*`.
typedef uint32_t mllp_link_event_kind_t;

// What came for a message that waits for its acknowledgment: `MLLP_REPLY_*`.
typedef uint32_t mllp_reply_kind_t;

// What becomes of a message: `MLLP_ACTION_*`.
typedef uint32_t mllp_action_t;

// When a rule applies: to one reply, `MLLP_REPLY_*`, or to several, `MLLP_RULE_*`.
typedef uint32_t mllp_rule_condition_t;

// What is done about a reply, and why.
typedef struct mllp_verdict_t {
    // What came.
    mllp_reply_kind_t reply;
    // What becomes of the message.
    mllp_action_t action;
    // 1: tell an operator.
    uint32_t warn;
    // The condition of the rule.
    mllp_rule_condition_t condition;
    // The number of the rule in the list, from 1; 0 is a built-in rule.
    uint32_t rule;
} mllp_verdict_t;

// What is known of a message at its verdict, whatever the rules are: `MLLP_FATE_*`.
typedef uint32_t mllp_fate_t;

// What is known of a reply that belongs to no message in flight: `MLLP_STRAY_*`.
typedef uint32_t mllp_stray_t;

// What happened on a link. Which members say something depends on `kind`; the others are 0. Offsets
// count bytes from 0 over the whole stream of the connection.
typedef struct mllp_initiator_event_t {
    // What it is.
    mllp_link_event_kind_t kind;
    // Which message.
    mllp_handle_t handle;
    // What the rules say about the reply, or its absence.
    struct mllp_verdict_t verdict;
    // At a verdict: what became of the message.
    mllp_fate_t fate;
    // What is known of a reply that is nobody's.
    mllp_stray_t stray;
    // Where the peer left the grammar.
    mllp_deviations_t deviations;
    // Why a reply was lost.
    mllp_fault_t fault;
    // Why bytes are in no frame.
    mllp_discard_reason_t discard_reason;
    // 1: the bytes are only NUL, tab, line feed, carriage return and space: padding, not data.
    uint32_t blank;
    // When the message will be sent again, at the earliest.
    uint64_t at;
    // Where in the stream.
    uint64_t offset;
    // How many bytes are in no frame.
    uint64_t len;
    // The payload of the reply, until the next event is taken or bytes of the peer. Without `data`
    // when it was no reply that gave the event.
    struct mllp_slice_t reply;
} mllp_initiator_event_t;

// A view of one payload: a message, or a batch of them. It and everything that is cut from it
// borrow from the payload, not from each other.
typedef struct mllp_message_t {
    uint64_t _state[14];
} mllp_message_t;

// The byte that ends segments in a message: `MLLP_TERMINATOR_*`.
typedef uint32_t mllp_terminator_t;

// A part of a message, of any level: all of its segments, a segment, a field with all its
// repetitions, one repetition, a component, a subcomponent.
//
// `mllp_part_next` gives its own parts one after the other, which are of the next level. At each
// level below the segments there is at least one; a subcomponent has none.
typedef struct mllp_part_t {
    uint64_t _state[20];
} mllp_part_t;

// Where a value stands in a message: `PID-3[2].4.1`, `PID.3.1`, `OBX[3]-5`, `MSH-9.2`, `NK1[2]`.
//
// Segment and occurrence, field and repetition, component, subcomponent; every number counts from 1.
// The name of a local segment, which begins with Z, may have two to eight characters: `ZABC-1`.
typedef struct mllp_path_t {
    uint64_t _state[5];
} mllp_path_t;

// What stands at an address: `MLLP_VALUE_*`.
//
// A receiver that updates records must tell them apart (HL7 v2.9.1 chapter 2, 2.5.3): absent and
// empty leave the stored value alone, null deletes it.
typedef uint32_t mllp_value_kind_t;

// What stands at an address.
typedef struct mllp_value_t {
    // Which of the four it is.
    mllp_value_kind_t kind;
    // Of `MLLP_VALUE_VALUE`, the bytes as they stand in the payload, still escaped; else empty.
    struct mllp_slice_t bytes;
} mllp_value_t;

// On whose behalf a proxy has connected: `MLLP_PROXY_*`.
typedef uint32_t mllp_proxy_origin_t;

// An address and a port that a proxy names.
typedef struct mllp_proxy_address_t {
    // 4 for IPv4, 6 for IPv6, 0 for none.
    uint8_t ip_version;
    // The address in network byte order. An IPv4 address takes the first four bytes.
    uint8_t ip[16];
    // The port, in the byte order of this machine.
    uint16_t port;
} mllp_proxy_address_t;

// A header of the PROXY protocol, version 1 or 2.
typedef struct mllp_proxy_header_t {
    // How many bytes the header takes. The bytes of the client follow.
    size_t len;
    // On whose behalf the proxy has connected.
    mllp_proxy_origin_t origin;
    // The client's address, with `MLLP_PROXY_CLIENT`.
    struct mllp_proxy_address_t source;
    // The address that the client connected to, with `MLLP_PROXY_CLIENT`.
    struct mllp_proxy_address_t destination;
} mllp_proxy_header_t;

// Finds whole frames in chunks and puts together in its memory what is split between them. A frame
// that arrives whole is borrowed from its chunk.
typedef struct mllp_receive_buffer_t {
    uint64_t _state[31];
} mllp_receive_buffer_t;

// One connection, seen from the end that receives messages and answers them.
//
// There are two ways of receiving. `mllp_responder_init` prepares a responder that stores messages
// until they are whole. `mllp_responder_init_stream` prepares one for messages larger than memory:
// their bytes pass by, and the header is kept for the answer. A function of the other way is
// answered with `MLLP_ERR_INVALID_ARGUMENT`. Answers, times and the end of the connection are the
// same for both.
//
// Answers leave in the order of the messages, in whatever order they are given. The loop: take every
// event; send what is `_outgoing` and say so with `_sent`; while it `_wants_input`, read; wait for
// the socket until `_next_deadline`, then call `_on_time`; until it `_is_finished`. What was read
// goes into the `_spare` room, with `_commit_read`, and `_next_event` gives the events; those of a
// stream are given by `_step` over it, until that returns `MLLP_PARTIAL`. While the responder wants
// no input, too much is unanswered or unsent: the caller does not read, and the peer feels it.
typedef struct mllp_responder_t {
    uint64_t _state[284];
} mllp_responder_t;

// The place of one complete message among the answers: good for one answer. A zeroed one is none, and
// one of another responder, or from before the responder was prepared anew, is recognised, unless
// that was in the same millisecond: a caller who answers late asks whether the connection is still
// the same.
typedef struct mllp_ticket_t {
    // The place among the answers of the connection, counted from 0 and wrapping: see
    // `mllp_responder_is_settled`. With commit blocks a message has two places, and this is the
    // second.
    uint32_t number;
    uint32_t _link;
} mllp_ticket_t;

// The place of a message that was lost: it can be refused, never accepted. A zeroed one is none.
typedef struct mllp_refusal_t {
    // The place among the answers of the connection: see `mllp_ticket_t`.
    uint32_t number;
    uint32_t _link;
} mllp_refusal_t;

// How a message that was lost is refused: `MLLP_REFUSE_*`. There is no positive way.
typedef uint32_t mllp_refuse_t;

// What a message over the limit does to its connection: `MLLP_OVER_LIMIT_*`.
typedef uint32_t mllp_over_limit_t;

// How long a peer may take, in milliseconds. 0 turns a time off.
typedef struct mllp_times_t {
    // Without a byte, between frames. Does not run while an answer is owed.
    uint64_t idle;
    // Without a byte, inside a frame.
    uint64_t byte;
    // For a whole frame, from its start block on: a sender that drips bytes does not extend it.
    uint64_t frame;
    // Without taking a byte of an answer.
    uint64_t send;
    // Without a byte behind an end block, where only what follows can tell whether it ends the
    // frame (profile `resync`). Then the frame is complete; the connection goes on.
    uint64_t trailer;
} mllp_times_t;

// The settings of a responder.
typedef struct mllp_responder_config_t {
    // How the stream is cut into frames, and the longest payload.
    struct mllp_config_t decoder;
    // How an acknowledgment mirrors its message.
    mllp_policy_t policy;
    // What a message over the limit does.
    mllp_over_limit_t over_limit;
    // How long the peer may take.
    struct mllp_times_t times;
    // The longest answer in bytes, framing included. For every message that waits for its answer,
    // so much of the memory for answers is kept free.
    size_t max_answer_len;
    // Not 0: MLLP release 2. Each message is committed with a block of its own before it is
    // answered, and the peer's commit blocks are events, not messages. A message then takes two
    // places.
    uint32_t commit_blocks;
} mllp_responder_config_t;

// Why a connection ends: `MLLP_CLOSE_*`.
typedef uint32_t mllp_close_reason_t;

// What happened on a connection. Which members say something depends on `kind`; the others are 0.
// Offsets count bytes from 0 over the whole stream.
typedef struct mllp_responder_event_t {
    // What it is.
    mllp_link_event_kind_t kind;
    // What the payload is.
    mllp_frame_kind_t frame_kind;
    // Where the sender left the grammar.
    mllp_deviations_t deviations;
    // Why a message was lost.
    mllp_fault_t fault;
    // Why bytes are in no frame.
    mllp_discard_reason_t discard_reason;
    // 1: the bytes are only NUL, tab, line feed, carriage return and space: padding, not data.
    uint32_t blank;
    // 1: the commit block is positive.
    uint32_t positive;
    // Which other protocol it is.
    mllp_protocol_t protocol;
    // Why the connection ends.
    mllp_close_reason_t close_reason;
    // How many answers were given up; with commit blocks a message has two places.
    uint32_t answers;
    // For the answer. It may be kept until the message is stored.
    struct mllp_ticket_t ticket;
    // For the refusal.
    struct mllp_refusal_t refusal;
    // Where in the stream.
    uint64_t offset;
    // How many bytes are in no frame.
    uint64_t len;
    // Where the first of the deviations was seen.
    uint64_t deviation_offset;
    // The bytes: until the next event is taken, or bytes of the peer.
    struct mllp_slice_t payload;
} mllp_responder_event_t;

// Cuts a stream into frames without storing any of it: payload leaves as spans of the input. For
// messages larger than memory.
typedef struct mllp_scanner_t {
    uint64_t _state[23];
} mllp_scanner_t;

// The receiver's side: which number it expects next. Zeroed, it has seen no message yet.
//
// A refusal is AR in original mode and CE in enhanced mode (2.8.3.1 c).
typedef struct mllp_sequence_receiver_t {
    // The number that the next message must have, where `has_expected` is not 0.
    int64_t expected;
    // 0: before the first message, and after the sender asked to start over.
    uint32_t has_expected;
} mllp_sequence_receiver_t;

// What the receiver answers.
typedef struct mllp_sequence_answer_t {
    // MSA-4.
    int64_t expected_sequence_number;
    // 1: the number fits, so that the message may be processed.
    uint32_t fits;
} mllp_sequence_answer_t;

// What a sender does after a refusal for its sequence number: `MLLP_SEQUENCE_*`.
typedef uint32_t mllp_sequence_action_kind_t;

// What a sender does after a refusal for its sequence number.
typedef struct mllp_sequence_action_t {
    // The number to send again from, with `MLLP_SEQUENCE_RESTART_FROM`; else 0.
    int64_t restart_from;
    // What to do.
    mllp_sequence_action_kind_t kind;
} mllp_sequence_action_t;

// A point in time as HL7 writes it, `YYYYMMDDHHMMSS` with or without `+ZZZZ` (2.A.22, DTM).
typedef struct mllp_timestamp_t {
    // The text.
    uint8_t text[19];
    // How many bytes of it: 14 or 19.
    uint8_t len;
} mllp_timestamp_t;

// Every complete frame can be answered, whatever it holds: what is missing takes a default.
#define MLLP_POLICY_ALWAYS 0

// The acknowledgment of chapter 2 (2.8.2.1, 2.12.1); a message without MSH has none.
#define MLLP_POLICY_CONFORMANT 1

// No acknowledgment.
#define MLLP_ACK_NONE 0

// Application accept.
#define MLLP_ACK_AA 1

// Application error.
#define MLLP_ACK_AE 2

// Application reject.
#define MLLP_ACK_AR 3

// Commit accept: the message is in safe storage.
#define MLLP_ACK_CA 4

// Commit error.
#define MLLP_ACK_CE 5

// Commit reject.
#define MLLP_ACK_CR 6

// It was taken.
#define MLLP_OUTCOME_ACCEPT 1

// Its content is wrong (or, at accept level, it could not be stored).
#define MLLP_OUTCOME_ERROR 2

// It was refused for reasons that lie outside its content, or its header is not acceptable.
#define MLLP_OUTCOME_REJECT 3

// The accept acknowledgment, CA CE CR: about storage.
#define MLLP_PHASE_ACCEPT 1

// The application acknowledgment, AA AE AR: about processing.
#define MLLP_PHASE_APPLICATION 2

// None that is known here.
#define MLLP_CHARACTER_SET_UNKNOWN 0

// `ASCII`, also meant by an empty MSH-18.
#define MLLP_CHARACTER_SET_ASCII 1

// `8859/1`.
#define MLLP_CHARACTER_SET_ISO8859_1 2

// `8859/2`.
#define MLLP_CHARACTER_SET_ISO8859_2 3

// `8859/3`.
#define MLLP_CHARACTER_SET_ISO8859_3 4

// `8859/4`.
#define MLLP_CHARACTER_SET_ISO8859_4 5

// `8859/5`.
#define MLLP_CHARACTER_SET_ISO8859_5 6

// `8859/6`.
#define MLLP_CHARACTER_SET_ISO8859_6 7

// `8859/7`.
#define MLLP_CHARACTER_SET_ISO8859_7 8

// `8859/8`.
#define MLLP_CHARACTER_SET_ISO8859_8 9

// `8859/9`.
#define MLLP_CHARACTER_SET_ISO8859_9 10

// `8859/15`.
#define MLLP_CHARACTER_SET_ISO8859_15 11

// `ISO IR6`: ASCII by its registration number.
#define MLLP_CHARACTER_SET_ISO_IR6 12

// `ISO IR14`: JIS X 0201.
#define MLLP_CHARACTER_SET_ISO_IR14 13

// `ISO IR87`: JIS X 0208, switched to by ISO 2022 escape sequences.
#define MLLP_CHARACTER_SET_ISO_IR87 14

// `ISO IR159`: JIS X 0212, switched to by ISO 2022 escape sequences.
#define MLLP_CHARACTER_SET_ISO_IR159 15

// `GB 18030-2000`.
#define MLLP_CHARACTER_SET_GB18030 16

// `KS X 1001`.
#define MLLP_CHARACTER_SET_KS_X1001 17

// `CNS 11643-1992`.
#define MLLP_CHARACTER_SET_CNS11643 18

// `BIG-5`.
#define MLLP_CHARACTER_SET_BIG5 19

// `UNICODE`: deprecated, read as UTF-8.
#define MLLP_CHARACTER_SET_UNICODE 20

// `UNICODE UTF-8`.
#define MLLP_CHARACTER_SET_UTF8 21

// `UNICODE UTF-16`: cannot be framed by MLLP.
#define MLLP_CHARACTER_SET_UTF16 22

// `UNICODE UTF-32`: cannot be framed by MLLP.
#define MLLP_CHARACTER_SET_UTF32 23

// `JAS2020`: ISO 2022 for Japanese, removed in version 2.9.
#define MLLP_CHARACTER_SET_JAS2020 24

// `JIS X 0202`: ISO 2022, removed in version 2.9.
#define MLLP_CHARACTER_SET_JIS_X0202 25

// `8859/10`.
#define MLLP_CHARACTER_SET_ISO8859_10 26

// `8859/11`: Thai, also known as TIS-620.
#define MLLP_CHARACTER_SET_ISO8859_11 27

// `8859/13`.
#define MLLP_CHARACTER_SET_ISO8859_13 28

// `8859/14`.
#define MLLP_CHARACTER_SET_ISO8859_14 29

// `8859/16`.
#define MLLP_CHARACTER_SET_ISO8859_16 30

// `ISO IR13`: the half-width katakana of JIS X 0201.
#define MLLP_CHARACTER_SET_ISO_IR13 31

// `WINDOWS-874`: Thai.
#define MLLP_CHARACTER_SET_WINDOWS_874 32

// `WINDOWS-1250`: Central European.
#define MLLP_CHARACTER_SET_WINDOWS_1250 33

// `WINDOWS-1251`: Cyrillic.
#define MLLP_CHARACTER_SET_WINDOWS_1251 34

// `WINDOWS-1252`: Western European.
#define MLLP_CHARACTER_SET_WINDOWS_1252 35

// `WINDOWS-1253`: Greek.
#define MLLP_CHARACTER_SET_WINDOWS_1253 36

// `WINDOWS-1254`: Turkish.
#define MLLP_CHARACTER_SET_WINDOWS_1254 37

// `WINDOWS-1255`: Hebrew.
#define MLLP_CHARACTER_SET_WINDOWS_1255 38

// `WINDOWS-1256`: Arabic.
#define MLLP_CHARACTER_SET_WINDOWS_1256 39

// `WINDOWS-1257`: Baltic.
#define MLLP_CHARACTER_SET_WINDOWS_1257 40

// `WINDOWS-1258`: Vietnamese.
#define MLLP_CHARACTER_SET_WINDOWS_1258 41

// `WINDOWS-31J`: Shift_JIS with the extensions of Windows, also known as cp932.
#define MLLP_CHARACTER_SET_WINDOWS_31J 42

// `WINDOWS-949`: KS X 1001 with all other Hangul, also known as UHC.
#define MLLP_CHARACTER_SET_WINDOWS_949 43

// `EUC-JP`.
#define MLLP_CHARACTER_SET_EUC_JP 44

// `KOI8-R`.
#define MLLP_CHARACTER_SET_KOI8_R 45

// `KOI8-U`.
#define MLLP_CHARACTER_SET_KOI8_U 46

// `CP437`: DOS, United States.
#define MLLP_CHARACTER_SET_CP437 47

// `CP850`: DOS, Western European.
#define MLLP_CHARACTER_SET_CP850 48

// `CP852`: DOS, Central European.
#define MLLP_CHARACTER_SET_CP852 49

// `CP858`: CP850 with the euro sign.
#define MLLP_CHARACTER_SET_CP858 50

// `CP866`: DOS, Cyrillic.
#define MLLP_CHARACTER_SET_CP866 51

// The end block alone ends a frame; a start block inside a frame is payload, and is reported. The
// default: it answers every sender at once. Its price: a sender that dies in mid-message and starts
// again on the same connection has two messages fused.
#define MLLP_PROFILE_PERMISSIVE 0

// Two messages are never fused: a start block inside a frame drops the frame, and an end block ends
// it only when a trailer, a line feed, a start block, a pause or the end of the stream follows.
#define MLLP_PROFILE_RESYNC 1

// The published grammar and nothing else. For conformance tests.
#define MLLP_PROFILE_STRICT 2

// Empty, null, or nothing that is in the table.
#define MLLP_CONDITION_UNVALUED 0

// `AL`.
#define MLLP_CONDITION_ALWAYS 1

// `ER`: on error or reject only.
#define MLLP_CONDITION_ERROR_ONLY 2

// `NE`.
#define MLLP_CONDITION_NEVER 3

// `SU`: on success only.
#define MLLP_CONDITION_SUCCESS_ONLY 4

// MSH-15 and MSH-16 are both empty: one acknowledgment, at application level.
#define MLLP_MODE_ORIGINAL 1

// At least one of them is valued: up to two acknowledgments.
#define MLLP_MODE_ENHANCED 2

// It has no MSA.
#define MLLP_INBOUND_MESSAGE 0

// Its MSA-1 is CA, CE or CR.
#define MLLP_INBOUND_ACCEPT_ACK 1

// It has any other MSA: an application acknowledgment, or the response to a query.
#define MLLP_INBOUND_APPLICATION_ACK 2

// Every byte that equals a delimiter is one: ASCII, ISO 8859, UTF-8, EUC-KR and most others.
#define MLLP_SCAN_SINGLE_BYTE 0

// Shift_JIS and its relative cp932.
#define MLLP_SCAN_SHIFT_JIS 1

// GB 18030, GBK and Big5.
#define MLLP_SCAN_GB18030 2

// ISO-2022-JP, and ISO 2022 with any other sets.
#define MLLP_SCAN_ISO2022_JP 3

// The one of these that MSH-18 and MSH-20 of each message call for. Costs one more pass over the MSH
// segment, and three more if that has other characters than ASCII. `mllp_message_header_scan` tells
// which one it was; for a text without a message it is `MLLP_SCAN_SINGLE_BYTE`.
#define MLLP_SCAN_AUTO 4

// Nothing is known yet: more bytes are needed.
#define MLLP_PROTOCOL_MORE 0

// A start block, and HLLP is not excluded yet. Who does not speak HLLP takes it for MLLP.
#define MLLP_PROTOCOL_START_BLOCK 1

// A start block that no HLLP header follows.
#define MLLP_PROTOCOL_MLLP 2

// A start block, `D` or `N`, two digits and a carriage return: the header of an HLLP block.
#define MLLP_PROTOCOL_HLLP 3

// ENQ: a sender of ASTM E1381 / LIS01 asks for the line.
#define MLLP_PROTOCOL_ASTM 4

// STX: an ASTM frame without the ENQ before it, or a vendor's protocol.
#define MLLP_PROTOCOL_ASTM_NO_ENQ 5

// The header record of ASTM E1394 / LIS02 without frames.
#define MLLP_PROTOCOL_ASTM_UNFRAMED 6

// `MSH` and a field separator: a message without frames. Nothing marks its end.
#define MLLP_PROTOCOL_HL7_UNFRAMED 7

// `FHS` or `BHS` and a field separator: a batch without frames.
#define MLLP_PROTOCOL_HL7_BATCH_UNFRAMED 8

// A TLS ClientHello on a plain port.
#define MLLP_PROTOCOL_TLS 9

// The request line of HTTP: a probe, or a wrong port.
#define MLLP_PROTOCOL_HTTP 10

// UTF-16 with a byte order mark.
#define MLLP_PROTOCOL_UTF16_BOM 11

// `MS` in UTF-16. Of the big endian form the first NUL counts as noise.
#define MLLP_PROTOCOL_UTF16_NO_BOM 12

// `<`: POCT1-A, or other XML without frames.
#define MLLP_PROTOCOL_XML 13

// None of these.
#define MLLP_PROTOCOL_UNKNOWN 14

// A line of the PROXY protocol, version 1. `mllp_proxy_header_parse` reads it.
#define MLLP_PROTOCOL_PROXY_V1 15

// The signature of the PROXY protocol, version 2. What follows is binary, and may hold a start block.
#define MLLP_PROTOCOL_PROXY_V2 16

// Nothing; for an ERR segment that only informs.
#define MLLP_ERROR_CODE_MESSAGE_ACCEPTED 0

// Segments are not in the order of the message structure.
#define MLLP_ERROR_CODE_SEGMENT_SEQUENCE_ERROR 100

// A required field is empty.
#define MLLP_ERROR_CODE_REQUIRED_FIELD_MISSING 101

// A field has the wrong data type.
#define MLLP_ERROR_CODE_DATA_TYPE_ERROR 102

// A coded value is not in its table.
#define MLLP_ERROR_CODE_TABLE_VALUE_NOT_FOUND 103

// A value is too long (from 2.7).
#define MLLP_ERROR_CODE_VALUE_TOO_LONG 104

// Too few or too many repetitions.
#define MLLP_ERROR_CODE_NON_CONFORMANT_CARDINALITY 198

// Another HL7 error.
#define MLLP_ERROR_CODE_OTHER_HL7_ERROR 199

// MSH-9.1 is not accepted.
#define MLLP_ERROR_CODE_UNSUPPORTED_MESSAGE_TYPE 200

// MSH-9.2 is not accepted.
#define MLLP_ERROR_CODE_UNSUPPORTED_EVENT_CODE 201

// MSH-11 is not accepted.
#define MLLP_ERROR_CODE_UNSUPPORTED_PROCESSING_ID 202

// MSH-12 is not accepted.
#define MLLP_ERROR_CODE_UNSUPPORTED_VERSION_ID 203

// The patient, order or the like is not known.
#define MLLP_ERROR_CODE_UNKNOWN_KEY_IDENTIFIER 204

// The patient, order or the like exists already. Not for a repeated MSH-10.
#define MLLP_ERROR_CODE_DUPLICATE_KEY_IDENTIFIER 205

// The record is locked.
#define MLLP_ERROR_CODE_APPLICATION_RECORD_LOCKED 206

// The application failed for a reason of its own.
#define MLLP_ERROR_CODE_APPLICATION_INTERNAL_ERROR 207

// `E`: the transaction was not successful.
#define MLLP_SEVERITY_ERROR 0

// `F`: not processed because of an application or network failure.
#define MLLP_SEVERITY_FATAL 1

// `I`: successful, with information.
#define MLLP_SEVERITY_INFORMATION 2

// `W`: successful, but there may be issues.
#define MLLP_SEVERITY_WARNING 3

// Nothing has happened.
#define MLLP_EVENT_NONE 0

// Scanner: a start block opened a frame, at `offset`.
#define MLLP_EVENT_FRAME_START 1

// Scanner: the next bytes of the payload are `payload`; the first is at `offset`.
#define MLLP_EVENT_PAYLOAD 2

// A complete frame: `offset` of its start block, `len` of its payload, `frame_kind`, `deviations`.
// Except from a scanner, `payload` is the payload.
#define MLLP_EVENT_FRAME 3

// The sender left the grammar behind a frame that was delivered: `deviations` has what it did,
// `offset` the byte that showed it.
#define MLLP_EVENT_WARNING 4

// A frame was lost: `fault`, `offset` of the byte that showed it. Except from a scanner, `payload`
// has the first bytes of it, up to its last whole field: for a refusal that quotes MSH-10, never for
// a positive answer.
#define MLLP_EVENT_FAULT 5

// Bytes in no frame: `offset`, `len`, `discard_reason`, `blank`.
#define MLLP_EVENT_DISCARD 6

// A message.
#define MLLP_FRAME_CONTENT 0

// No payload at all: some senders' heartbeat.
#define MLLP_FRAME_EMPTY 1

// The commit acknowledgment block `<SB> 06 <EB><CR>` of MLLP release 2.
#define MLLP_FRAME_COMMIT_ACK 2

// The negative commit acknowledgment block `<SB> 15 <EB><CR>` of MLLP release 2.
#define MLLP_FRAME_COMMIT_NAK 3

// An end block inside a payload, taken as data.
#define MLLP_DEVIATION_FS_IN_PAYLOAD 1

// A line feed where the trailer belongs.
#define MLLP_DEVIATION_LF_FOR_CR 2

// No trailer behind the end block.
#define MLLP_DEVIATION_MISSING_CR 4

// A start block inside a payload, taken as data: perhaps two messages fused.
#define MLLP_DEVIATION_SB_IN_PAYLOAD 8

// Profile `strict`: a payload byte outside `20`..`FF` and carriage return.
#define MLLP_FAULT_ILLEGAL_BYTE 1

// Profile `strict`: no trailer behind the end block.
#define MLLP_FAULT_MISSING_CR 2

// A start block inside a frame: the sender began again without ending the frame.
#define MLLP_FAULT_SB_IN_BLOCK 3

// The payload is longer than the limit.
#define MLLP_FAULT_TOO_LARGE 4

// The stream ended inside the frame.
#define MLLP_FAULT_TRUNCATED 5

// The bytes of a frame that a fault has ended.
#define MLLP_DISCARD_DROPPED 1

// They came between frames; reported once for each run, when it ends.
#define MLLP_DISCARD_OUTSIDE 2

// MSH-1, one byte.
#define MLLP_MSH_FIELD_SEPARATOR 1

// MSH-2.
#define MLLP_MSH_ENCODING_CHARACTERS 2

// MSH-3.
#define MLLP_MSH_SENDING_APPLICATION 3

// MSH-4.
#define MLLP_MSH_SENDING_FACILITY 4

// MSH-5.
#define MLLP_MSH_RECEIVING_APPLICATION 5

// MSH-6.
#define MLLP_MSH_RECEIVING_FACILITY 6

// MSH-7.
#define MLLP_MSH_DATE_TIME_OF_MESSAGE 7

// MSH-8.
#define MLLP_MSH_SECURITY 8

// MSH-9: message code, trigger event, message structure.
#define MLLP_MSH_MESSAGE_TYPE 9

// MSH-10.
#define MLLP_MSH_MESSAGE_CONTROL_ID 10

// MSH-11.
#define MLLP_MSH_PROCESSING_ID 11

// MSH-12.
#define MLLP_MSH_VERSION_ID 12

// MSH-13.
#define MLLP_MSH_SEQUENCE_NUMBER 13

// MSH-14.
#define MLLP_MSH_CONTINUATION_POINTER 14

// MSH-15.
#define MLLP_MSH_ACCEPT_ACKNOWLEDGMENT_TYPE 15

// MSH-16.
#define MLLP_MSH_APPLICATION_ACKNOWLEDGMENT_TYPE 16

// MSH-17.
#define MLLP_MSH_COUNTRY_CODE 17

// MSH-18, repeating.
#define MLLP_MSH_CHARACTER_SET 18

// MSH-19.
#define MLLP_MSH_PRINCIPAL_LANGUAGE_OF_MESSAGE 19

// MSH-20.
#define MLLP_MSH_ALTERNATE_CHARACTER_SET_HANDLING_SCHEME 20

// MSH-21, repeating.
#define MLLP_MSH_MESSAGE_PROFILE_IDENTIFIER 21

// MSH-9.1, `ADT` in `ADT^A01^ADT_A01`: its first subcomponent.
#define MLLP_MSH_MESSAGE_CODE 901

// MSH-9.2, `A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
#define MLLP_MSH_TRIGGER_EVENT 902

// MSH-9.3, `ADT_A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
#define MLLP_MSH_MESSAGE_STRUCTURE 903

// MSH-12.1, `2.5.1` in `2.5.1^DEU`: its first subcomponent.
#define MLLP_MSH_VERSION 1201

// MSH-11.1, `P` in `P^T`: its first subcomponent.
#define MLLP_MSH_PROCESSING 1101

// The first repetition of MSH-18: the character set of the whole message.
#define MLLP_MSH_CHARACTER_SET_FIRST 1801

// A commit block of MLLP release 2 on a link of release 1.
#define MLLP_STRAY_COMMIT_BLOCK 1

// A second reply to a message that has its verdict.
#define MLLP_STRAY_DOUBLED 2

// A positive reply to a message that has not been written to its end: nobody can have it.
#define MLLP_STRAY_EARLY 3

// Its MSA-2 is of no message that was sent lately.
#define MLLP_STRAY_FOREIGN 4

// It comes after its message was given up.
#define MLLP_STRAY_LATE 5

// It has no MSA with a code of table 0008, and no rule takes that for a receipt.
#define MLLP_STRAY_NO_MSA 6

// It is not HL7.
#define MLLP_STRAY_NOT_HL7 7

// The answer to a message that asked for none: its verdict did not wait for it.
#define MLLP_STRAY_UNASKED 8

// A reply of its own decided, positive or negative.
#define MLLP_FATE_ANSWERED 1

// The receiver has stored the message (CA), and the application acknowledgment did not come in its
// time. It is accepted, and need not be sent again.
#define MLLP_FATE_STORED 2

// MSH-15 and MSH-16 ask for no answer to a message that is accepted, and none came: the success
// that was asked for.
#define MLLP_FATE_UNASKED 3

// No byte of it has left, in any attempt: sending it again cannot deliver it twice.
#define MLLP_FATE_NOT_SENT 4

// Everything else: some byte may have left, so the receiver may have the message.
#define MLLP_FATE_UNCERTAIN 5

// Nothing has happened: read, send, or wait for the deadline.
#define MLLP_LINK_NONE 0

// Responders: a complete message. `ticket` for its one answer, `payload`, `offset` of its start
// block, `frame_kind`, `deviations`. From a stream responder `payload` is empty: what has come
// since `MLLP_LINK_START` is the message.
#define MLLP_LINK_MESSAGE 1

// Responders: a message over the limit is to be refused, with `MLLP_OVER_LIMIT_REFUSE`: `refusal`
// for that, or later answers wait for ever; `offset` of the first byte over the limit. `payload`
// has its beginning, except from a stream responder: there, what has come since the start is no
// message.
#define MLLP_LINK_TOO_LARGE 2

// A message or a reply was lost: `fault`, `offset` of the byte that showed it. A message is not
// answered then; from a stream responder, what has come since the start is none.
#define MLLP_LINK_FAULT 3

// Responders: a commit block of MLLP release 2 about an answer: `positive`.
#define MLLP_LINK_COMMIT 4

// The peer left the grammar behind a frame that was delivered: `deviations` has what it did,
// `offset` the byte that showed it.
#define MLLP_LINK_WARNING 5

// Bytes in no frame: `offset`, `len`, `discard_reason`, `blank`.
#define MLLP_LINK_DISCARD 6

// Responders: the first bytes of the connection are of another protocol: `protocol`. Once, before
// the discards of these bytes; whether the connection goes on is for the caller to say.
#define MLLP_LINK_PROTOCOL 7

// Responders: the time for sending ran out and the link was given up: `answers` places, answered
// or not, were not done. At most once, also behind `MLLP_LINK_CLOSING`.
#define MLLP_LINK_ANSWERS_LOST 8

// Responders: once. Nothing more will be delivered, `close_reason`. When all answers are sent the
// connection can be closed.
#define MLLP_LINK_CLOSING 9

// Stream responder: a frame begins, at `offset`.
#define MLLP_LINK_START 10

// Stream responder: the MSH segment has come whole, or as much of it as is kept. At most once in a
// frame, behind the span that ends there.
#define MLLP_LINK_HEADER 11

// Stream responder: the next bytes of the message are `payload`, MSH included. How it is cut into
// spans depends on the input; their concatenation does not.
#define MLLP_LINK_SPAN 12

// Initiator: the end of a message, `handle`; each one that was submitted has exactly one.
// `verdict` says what it is, where `MLLP_ACTION_RETRY` means that the attempts are used up;
// `reply` is the reply that gave it.
#define MLLP_LINK_VERDICT 13

// Initiator: enhanced mode, the receiver has stored the message `handle` (CA). Its application
// acknowledgment is still to come.
#define MLLP_LINK_STORED 14

// Initiator: the message `handle` will be sent again, not before `at`, because of `verdict`.
#define MLLP_LINK_RETRY 15

// Initiator: a reply, `reply`, that belongs to no message in flight, by `stray`. It is never a
// success of anything.
#define MLLP_LINK_STRAY 16

// Initiator: the connection must be given up, with whatever is being written to it. A late reply
// on it could be taken for another's, or what is left on it could swallow the next one.
#define MLLP_LINK_RECONNECT 17

// One message.
#define MLLP_MESSAGE_SINGLE 1

// A file or batch header, or more than one MSH (HL7 v2.9.1 chapter 2, 2.9.3). No single
// acknowledgment can answer it.
#define MLLP_MESSAGE_BATCH 2

// A line feed and a carriage return both end a segment.
#define MLLP_TERMINATOR_LINE_FEED 10

// A carriage return ends a segment, and a single line feed right behind it is dropped. A line feed
// elsewhere is data. Also the answer when there is neither.
#define MLLP_TERMINATOR_CARRIAGE_RETURN 13

// The segment, field, repetition, component or subcomponent is not there.
#define MLLP_VALUE_ABSENT 0

// It is there and has no bytes.
#define MLLP_VALUE_EMPTY 1

// Exactly two double quotes: delete what is stored.
#define MLLP_VALUE_NULL 2

// Anything else.
#define MLLP_VALUE_VALUE 3

// On its own, as a load balancer does to probe a server. The peer is the one of the socket.
#define MLLP_PROXY_LOCAL 0

// On behalf of a client whose address it does not name. The address of the socket is the proxy's.
#define MLLP_PROXY_UNNAMED 1

// On behalf of a client whose address it names.
#define MLLP_PROXY_CLIENT 2

// It is not answered and the connection ends: whoever sends one such message may send many.
#define MLLP_OVER_LIMIT_CLOSE 0

// Its bytes are skipped, it is refused with its own control ID, and the connection goes on.
#define MLLP_OVER_LIMIT_REFUSE 1

// Nothing came between frames for as long as `idle`.
#define MLLP_CLOSE_IDLE_TIMEOUT 1

// Nothing came inside a frame for as long as `byte`.
#define MLLP_CLOSE_BYTE_TIMEOUT 2

// A frame took longer than `frame`.
#define MLLP_CLOSE_FRAME_TIMEOUT 3

// No byte of an answer was taken for as long as `send`.
#define MLLP_CLOSE_SEND_TIMEOUT 4

// The caller wants it.
#define MLLP_CLOSE_CLOSED 5

// The peer closed its side.
#define MLLP_CLOSE_END_OF_STREAM 6

// A message was over the limit.
#define MLLP_CLOSE_TOO_LARGE 7

// Its acknowledgment, with AA in MSA-1.
#define MLLP_REPLY_AA 1

// With AE.
#define MLLP_REPLY_AE 2

// With AR.
#define MLLP_REPLY_AR 3

// With CA.
#define MLLP_REPLY_CA 4

// With CE.
#define MLLP_REPLY_CE 5

// With CR.
#define MLLP_REPLY_CR 6

// HL7 without an MSA, or without a code of table 0008 in MSA-1.
#define MLLP_REPLY_NO_MSA 7

// An acknowledgment of another message: MSA-2 is not the MSH-10 that was sent.
#define MLLP_REPLY_WRONG_ID 8

// Nothing: the deadline passed, or the connection was lost.
#define MLLP_REPLY_NO_REPLY 9

// A frame that is not HL7.
#define MLLP_REPLY_NOT_HL7 10

// To AA and CA.
#define MLLP_RULE_ACCEPT 11

// To AE and CE.
#define MLLP_RULE_ERROR 12

// To AR and CR.
#define MLLP_RULE_REJECT 13

// To every reply; with the action `accept`, to every code and nothing else.
#define MLLP_RULE_ANY 14

// It is delivered and may be forgotten.
#define MLLP_ACTION_ACCEPT 1

// It is sent again, unchanged, as often and as late as the sender's limits say.
#define MLLP_ACTION_RETRY 2

// Nothing more is sent until somebody has looked and says so.
#define MLLP_ACTION_SUSPEND 3

// It is undeliverable as it is, and the next one follows.
#define MLLP_ACTION_FAIL 4

// Only the acknowledgment was lost: go on with the next message.
#define MLLP_SEQUENCE_CONTINUE 1

// The receiver misses messages: send again from `restart_from`, or stop.
#define MLLP_SEQUENCE_RESTART_FROM 2

// The two sides disagree: stop the link and call for a person.
#define MLLP_SEQUENCE_FREEZE 3

// Done.
#define MLLP_OK 0

// More bytes are needed, or nothing has happened. Not an error.
#define MLLP_PARTIAL 1

// What was asked for is not there. Not an error.
#define MLLP_NOT_FOUND 2

// A pointer is NULL that must not be.
#define MLLP_ERR_NULL -1

// The state was never initialised, or is of another type.
#define MLLP_ERR_NOT_INITIALISED -2

// A number is none of its type's constants, or a length is beyond half of the address space.
#define MLLP_ERR_INVALID_ARGUMENT -3

// The output does not fit into the caller's buffer.
#define MLLP_ERR_BUFFER_TOO_SMALL -4

// Two of the framing bytes are equal.
#define MLLP_ERR_INVALID_FRAMING -100

// The payload holds a framing byte and cannot be framed.
#define MLLP_ERR_RESERVED_BYTE -101

// A character of MSH-2 is not a printable, non-alphanumeric ASCII character.
#define MLLP_ERR_BAD_ENCODING_CHARACTER -200

// MSH-1 is not a printable, non-alphanumeric ASCII character.
#define MLLP_ERR_BAD_FIELD_SEPARATOR -201

// The text is not a path such as `PID-3[2].4.1`.
#define MLLP_ERR_BAD_PATH -202

// Two of MSH-1 and the first five characters of MSH-2 are the same.
#define MLLP_ERR_DUPLICATE_DELIMITER -203

// MSH-2 is empty.
#define MLLP_ERR_NO_ENCODING_CHARACTERS -204

// The message has no `MSH` (or, to be read, `FHS` or `BHS`) at its front.
#define MLLP_ERR_NO_HEADER -205

// The message ends before MSH-1.
#define MLLP_ERR_SHORT_HEADER -206

// Chapter 2 accepts no message without MSH-10: its sender could not tell which one was accepted.
#define MLLP_ERR_NO_CONTROL_ID -300

// The ticket or the refusal was used, or is of no message of this connection.
#define MLLP_ERR_NO_TICKET -400

// The message was lost: it can be refused, never answered otherwise.
#define MLLP_ERR_LOST -401

// The payload or header of the message is no longer at hand: the `_later` call takes it from the
// caller.
#define MLLP_ERR_NOT_AT_HAND -402

// The link was given up, and its answers with it.
#define MLLP_ERR_CLOSED -403

// The policy `conformant` has no positive answer for several messages at once.
#define MLLP_ERR_BATCH -404

// As many messages as the link holds are without a verdict.
#define MLLP_ERR_FULL -410

// MSH-10 is too long: the reply could not be told from others.
#define MLLP_ERR_ID_TOO_LONG -411

// A message with this MSH-10 has no verdict yet: their replies could not be told apart.
#define MLLP_ERR_ID_IN_USE -412

// The text before `=` in a rule is not a condition.
#define MLLP_ERR_UNKNOWN_CONDITION -420

// The text after `=` in a rule is not an action.
#define MLLP_ERR_UNKNOWN_ACTION -421

// Nothing stands behind the condition of a rule.
#define MLLP_ERR_MISSING_ACTION -422

// There are more rules than `MLLP_MAX_RULES`.
#define MLLP_ERR_TOO_MANY_RULES -423

// The rule would take a message for delivered that nobody has accepted.
#define MLLP_ERR_UNSAFE_ACCEPT -424

// The connection does not begin with a PROXY protocol header.
#define MLLP_ERR_NO_PROXY_HEADER -430

// The PROXY protocol header breaks its specification.
#define MLLP_ERR_BAD_PROXY_HEADER -431

// With AE or CE.
#define MLLP_REFUSE_ERROR 1

// With AR or CR.
#define MLLP_REFUSE_REJECT 2

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// An acknowledgment by the policy `always`, for any payload: `header` is what
// `mllp_message_header_parse_lenient` gave, NULL when it found none.
//
// A message without MSH-10 is answered with `control_id` in MSH-10 and MSA-2 both.
struct mllp_ack_t mllp_ack_always(mllp_ack_code_t code,
                                  const struct mllp_message_header_t *header,
                                  const uint8_t *control_id,
                                  size_t control_id_len,
                                  const uint8_t *timestamp,
                                  size_t timestamp_len);

// An acknowledgment by the policy `conformant`. Without a header it cannot be written.
struct mllp_ack_t mllp_ack_conformant(mllp_ack_code_t code,
                                      const struct mllp_message_header_t *header,
                                      const uint8_t *control_id,
                                      size_t control_id_len,
                                      const uint8_t *timestamp,
                                      size_t timestamp_len);

// Length of the acknowledgment in bytes, without a frame. Costs as much as `mllp_ack_encode`.
//
// `MLLP_ERR_NO_HEADER`, `MLLP_ERR_NO_CONTROL_ID`: as for `mllp_ack_encode`.
mllp_status_t mllp_ack_encoded_len(const struct mllp_ack_t *ack, size_t *out);

// Writes the acknowledgment, without a frame, to the front of `out`, and its length to `out_len`.
//
// `MLLP_ERR_BUFFER_TOO_SMALL`: `out_capacity` is below `mllp_ack_encoded_len`. By the policy
// `conformant`, `MLLP_ERR_NO_HEADER` without MSH, and `MLLP_ERR_NO_CONTROL_ID` for a positive code
// without MSH-10. `MLLP_ERR_INVALID_ARGUMENT`: more errors than `MLLP_MAX_ERRORS`.
mllp_status_t mllp_ack_encode(const struct mllp_ack_t *ack,
                              uint8_t *out,
                              size_t out_capacity,
                              size_t *out_len);

// Writes the frame of MLLP around the acknowledgment in place, ready to be sent: see
// `mllp_ack_encode`.
mllp_status_t mllp_encode_ack(const struct mllp_ack_t *ack,
                              uint8_t *out,
                              size_t out_capacity,
                              size_t *out_len);

// As `mllp_encode_ack`, with other framing bytes. `MLLP_ERR_INVALID_FRAMING` when two are equal,
// `MLLP_ERR_RESERVED_BYTE` when the acknowledgment holds one.
mllp_status_t mllp_framing_encode_ack(const struct mllp_framing_t *framing,
                                      const struct mllp_ack_t *ack,
                                      uint8_t *out,
                                      size_t out_capacity,
                                      size_t *out_len);

// The code for an outcome at a level.
mllp_ack_code_t mllp_ack_code_new(mllp_phase_t phase, mllp_outcome_t outcome);

// Reads MSA-1: `MLLP_ACK_NONE` for anything but one of the six codes, exactly as written. Trailing
// blanks do not count.
mllp_ack_code_t mllp_ack_code_from_bytes(const uint8_t *text, size_t text_len);

// The two letters; `unknown` for a number that is none.
const char *mllp_ack_code_name(mllp_ack_code_t code);

// What the code says about the message.
mllp_outcome_t mllp_ack_code_outcome(mllp_ack_code_t code);

// The level the code belongs to.
mllp_phase_t mllp_ack_code_phase(mllp_ack_code_t code);

// 1: the sender may forget the message, AA or CA.
uint32_t mllp_ack_code_is_accept(mllp_ack_code_t code);

// The set that a value of MSH-18 names. An empty value is ASCII.
//
// Case, blanks and punctuation do not count, and common other names are understood: `latin1` is
// `8859/1`, `utf8` is `UNICODE UTF-8`, `Shift_JIS` is `ISO IR14`, `CP1252` is `WINDOWS-1252`.
mllp_character_set_t mllp_character_set_from_name(const uint8_t *text, size_t text_len);

// The set of a whole message: the first repetition of MSH-18, ASCII if that is empty.
mllp_character_set_t mllp_character_set_of(const struct mllp_message_header_t *header);

// The name in HL7 table 0211, or a common name where the table has none; `unknown` for a number that
// is none.
const char *mllp_character_set_name(mllp_character_set_t set);

// How to search a message in this set; `MLLP_SCAN_SINGLE_BYTE` for one that is not known.
mllp_scan_t mllp_character_set_scan(mllp_character_set_t set);

// 1: a delimiter byte is a delimiter wherever it occurs, so that text can be searched and escaped
// byte by byte.
uint32_t mllp_character_set_delimiter_safe(mllp_character_set_t set);

// 1: a message in this set can travel over MLLP. The framing bytes occur inside the characters of
// UTF-16 and UTF-32.
uint32_t mllp_character_set_allowed_in_mllp(mllp_character_set_t set);

// Looks at everything that must be right before a message may be answered positively.
//
// A damaged frame and a batch have no positive answer: the first because bytes are missing, the
// second because one MSA cannot speak for several messages (2.9.3). A message without MSH-10 has none
// either: nothing would tell the sender which message was accepted.
mllp_status_t mllp_message_header_check(const struct mllp_message_header_t *header,
                                        struct mllp_receipt_t receipt,
                                        const struct mllp_accept_lists_t *lists,
                                        struct mllp_header_errors_t *out);

// `0B payload 1C 0D`.
struct mllp_framing_t mllp_framing_default(void);

// The profile `permissive`, MLLP framing, and payloads of up to 1 MiB.
struct mllp_config_t mllp_config_default(void);

// Decides which answer a message gets by the policy `conformant`, by the tables of chapter 2 (2.8.2,
// 2.8.3). `code` is what the caller says of the message, at either level.
//
// In enhanced mode the accept acknowledgment goes back where MSH-15 asks for one, and otherwise the
// application acknowledgment. What must not be accepted is rejected, whatever the caller says: a
// batch, a message without a message control ID, and a frame with a start block inside, which is
// what is left of two messages. Errors are those of `mllp_message_parse`: there is no header that
// could be answered.
mllp_status_t mllp_conformant_answer(const uint8_t *payload,
                                     size_t payload_len,
                                     mllp_scan_t scan,
                                     mllp_ack_code_t code,
                                     struct mllp_conformant_answer_t *out);

// Reads MSH-15 or MSH-16; case and padding are ignored.
mllp_condition_t mllp_condition_from_field(const uint8_t *field, size_t field_len);

// From MSA-1, as `mllp_message_get` gives it: without `data` there is none.
mllp_inbound_t mllp_inbound_from_msa(struct mllp_slice_t msa_1);

// What the header of a message asks for.
mllp_status_t mllp_request_of(const struct mllp_message_header_t *header,
                              mllp_inbound_t inbound,
                              struct mllp_request_t *out);

// The mode of the exchange.
mllp_mode_t mllp_request_mode(const struct mllp_request_t *request);

// The decision table of chapter 2, for what became of the message at each level: a message that was
// stored (CA) may still be found wrong (AE).
mllp_status_t mllp_request_decide(const struct mllp_request_t *request,
                                  mllp_outcome_t accept,
                                  mllp_outcome_t application,
                                  struct mllp_decision_t *out);

// The decision for a message that was refused before its content was looked at, so that the sender
// hears of it once: an accept acknowledgment with the refusal ends the exchange; where none is wanted,
// the application acknowledgment carries it.
mllp_status_t mllp_request_refuse(const struct mllp_request_t *request,
                                  mllp_outcome_t outcome,
                                  struct mllp_decision_t *out);

// Exactly one reply to every message that is not an acknowledgment itself, for senders that wait for
// one whatever they asked for: at accept level when MSH-15 asks for it, at application level otherwise.
// `MLLP_NOT_FOUND`, and `MLLP_ACK_NONE`: the message is an acknowledgment.
mllp_status_t mllp_request_always_one_reply(const struct mllp_request_t *request,
                                            mllp_outcome_t accept,
                                            mllp_outcome_t application,
                                            mllp_ack_code_t *out);

// Prepares a decoder for the beginning of a stream.
mllp_status_t mllp_decoder_init(struct mllp_decoder_t *decoder, const struct mllp_config_t *config);

// Looks at everything unread, up to the next event.
//
// `MLLP_OK`: an event. `MLLP_PARTIAL`: more bytes are needed behind those that `consumed` leaves. It
// writes `out` too.
mllp_status_t mllp_decoder_decode(struct mllp_decoder_t *decoder,
                                  const uint8_t *unread,
                                  size_t unread_len,
                                  struct mllp_decoded_t *out);

// The line has been idle for as long as the caller waits for a trailer (profile `resync`): what is
// undecided behind an end block is decided. `unread` is what the last call left.
mllp_status_t mllp_decoder_idle(struct mllp_decoder_t *decoder,
                                const uint8_t *unread,
                                size_t unread_len,
                                struct mllp_decoded_t *out);

// The stream has ended. Call it, dropping what it consumes, until it returns `MLLP_PARTIAL`.
mllp_status_t mllp_decoder_finish(struct mllp_decoder_t *decoder,
                                  const uint8_t *unread,
                                  size_t unread_len,
                                  struct mllp_decoded_t *out);

// Forgets the stream and keeps the settings.
mllp_status_t mllp_decoder_reset(struct mllp_decoder_t *decoder);

// The size in bytes of a buffer that holds every frame the limit allows.
mllp_status_t mllp_decoder_buffer_len(const struct mllp_decoder_t *decoder, size_t *out);

// Totals of the stream.
mllp_status_t mllp_decoder_counters(const struct mllp_decoder_t *decoder,
                                    struct mllp_counters_t *out);

// `|^~\&`: what HL7 recommends and nearly everybody sends.
struct mllp_delimiters_t mllp_delimiters_default(void);

// The stable name of a protocol, such as `hl7_unframed`; `unknown` for a number that is none too.
const char *mllp_protocol_name(mllp_protocol_t protocol);

// 1 when nothing on a connection with this protocol can be a message, else 0: the peer waits for an answer
// in kind, and what it sends, ciphertext for instance, may hold framing bytes. Close such a
// connection at once, and take no message that is still to come from it.
uint32_t mllp_protocol_is_foreign(mllp_protocol_t protocol);

// Prepares a detector for the beginning of a connection.
mllp_status_t mllp_detector_init(struct mllp_detector_t *detector);

// Takes the next bytes of the connection, and says what is known of all of them.
//
// `MLLP_OK`: it is decided, and stays so. `MLLP_PARTIAL`: more bytes are needed. It writes `out`
// too: `MLLP_PROTOCOL_MORE` or `MLLP_PROTOCOL_START_BLOCK`.
mllp_status_t mllp_detector_feed(struct mllp_detector_t *detector,
                                 const uint8_t *next_bytes,
                                 size_t next_bytes_len,
                                 struct mllp_detection_t *out);

// What a connection that begins with these bytes is. Status and output as `mllp_detector_feed`.
//
// Noise before the first significant byte is passed over: NUL, tab, line feed, carriage return,
// space, EOT, ACK and NAK, and one UTF-8 byte order mark at the very beginning.
mllp_status_t mllp_detect(const uint8_t *first_bytes,
                          size_t first_bytes_len,
                          struct mllp_detection_t *out);

// Length in bytes of the frame of MLLP around a payload of `payload_len` bytes.
size_t mllp_encoded_len(size_t payload_len);

// Writes the frame of MLLP around `payload` to the front of `out`, and its length to `out_len`.
//
// `MLLP_ERR_RESERVED_BYTE`: the payload holds a start or end block, which no receiver could tell
// from the frame's. `MLLP_ERR_BUFFER_TOO_SMALL`: `out_capacity` is below `mllp_encoded_len`.
mllp_status_t mllp_encode(const uint8_t *payload,
                          size_t payload_len,
                          uint8_t *out,
                          size_t out_capacity,
                          size_t *out_len);

// Length in bytes of the frame around a payload of `payload_len` bytes. 0 for invalid framing.
size_t mllp_framing_encoded_len(struct mllp_framing_t framing, size_t payload_len);

// As `mllp_encode`, with other framing bytes. `MLLP_ERR_INVALID_FRAMING` when two are equal.
mllp_status_t mllp_framing_encode(const struct mllp_framing_t *framing,
                                  const uint8_t *payload,
                                  size_t payload_len,
                                  uint8_t *out,
                                  size_t out_capacity,
                                  size_t *out_len);

// The text of the code in table 0357, such as `Value too long`; `unknown` for a number that is none.
const char *mllp_error_code_text(mllp_error_code_t code);

// The outcome that goes with the code: 1xx is an error, 2xx a rejection.
mllp_outcome_t mllp_error_code_outcome(mllp_error_code_t code);

// The letter of table 0516; `unknown` for a number that is none.
const char *mllp_severity_name(mllp_severity_t severity);

// Writes `text` to the front of `out` with its escape sequences replaced by what they stand for, and
// the length to `out_len`.
//
// Delimiters and hexadecimal sequences are replaced; formatting, highlighting, character set and
// local sequences stay as they are, and so does everything unknown or unterminated: nothing is lost.
// The output is never longer than `text`. `MLLP_ERR_BUFFER_TOO_SMALL`: it does not fit.
mllp_status_t mllp_unescape(const uint8_t *text,
                            size_t text_len,
                            const struct mllp_delimiters_t *delimiters,
                            uint8_t *out,
                            size_t out_capacity,
                            size_t *out_len);

// As `mllp_unescape`, for text of a message that was parsed with this `scan`: an escape character
// inside a two-byte character is none.
mllp_status_t mllp_unescape_with(const uint8_t *text,
                                 size_t text_len,
                                 const struct mllp_delimiters_t *delimiters,
                                 mllp_scan_t scan,
                                 uint8_t *out,
                                 size_t out_capacity,
                                 size_t *out_len);

// Writes `text` to the front of `out` so that it can stand inside any value, and the length to
// `out_len`.
//
// Delimiters, carriage return and line feed become escape sequences, or blanks where `delimiters` has
// no escape character. `MLLP_ERR_BUFFER_TOO_SMALL`: `out_capacity` is below `mllp_escaped_len`; five
// times the length of `text` is always enough.
mllp_status_t mllp_escape(const uint8_t *text,
                          size_t text_len,
                          const struct mllp_delimiters_t *delimiters,
                          uint8_t *out,
                          size_t out_capacity,
                          size_t *out_len);

// The length in bytes of what `mllp_escape` writes for this text.
size_t mllp_escaped_len(const uint8_t *text,
                        size_t text_len,
                        const struct mllp_delimiters_t *delimiters);

// The stable name of what a payload is, such as `commit_ack`; `unknown` for a number that is none.
const char *mllp_frame_kind_name(mllp_frame_kind_t frame_kind);

// The stable name of one deviation, such as `missing_cr`; `unknown` for a number that is none.
const char *mllp_deviation_name(mllp_deviations_t deviation);

// The stable name of a fault, such as `too_large`; `unknown` for a number that is none.
const char *mllp_fault_name(mllp_fault_t fault);

// The stable name of a reason, such as `outside`; `unknown` for a number that is none.
const char *mllp_discard_reason_name(mllp_discard_reason_t discard_reason);

// Reads as much of a header as there is: for a receiver that acknowledges everything.
//
// Needs no more than `MSH` (after a byte order mark and blanks) and a usable MSH-1, else
// `MLLP_NOT_FOUND`. A batch gives the header of its first message. Where MSH-2 is damaged, its
// usable characters count, each at its position; the others are those of `^~\&` that are not taken.
mllp_status_t mllp_message_header_parse_lenient(const uint8_t *payload,
                                                size_t payload_len,
                                                struct mllp_message_header_t *out);

// As `mllp_message_header_parse_lenient`, for a message whose delimiters must be searched by `scan`:
// a name in Shift_JIS may hold the byte of the field separator.
mllp_status_t mllp_message_header_parse_lenient_with(const uint8_t *payload,
                                                     size_t payload_len,
                                                     mllp_scan_t scan,
                                                     struct mllp_message_header_t *out);

// Reads MSH-1 to MSH-`through` from the first bytes of a message that is still arriving.
//
// `MLLP_OK` as soon as a separator or a terminator follows MSH-`through`, or MSH has ended before
// it. Fields above `through` are empty, so the answer is the same for every longer prefix.
// `MLLP_PARTIAL`: more bytes are needed. Each call starts at the first byte: call once per piece
// received, and give up at the length you are willing to keep. Errors are those of
// `mllp_message_parse` as soon as a byte makes one certain, but never `MLLP_ERR_SHORT_HEADER`.
mllp_status_t mllp_message_header_parse_prefix(const uint8_t *prefix,
                                               size_t prefix_len,
                                               size_t through,
                                               struct mllp_message_header_t *out);

// What stands at `field`: an `MLLP_MSH_*`, or the number of a field, 1 to 21. An empty slice for any
// other number.
struct mllp_slice_t mllp_message_header_field(const struct mllp_message_header_t *header,
                                              mllp_msh_t field);

// MSH-`first` to MSH-`last` with the separators between them, as they stand. Both are numbers from
// 2 to 21; others give an empty slice.
struct mllp_slice_t mllp_message_header_fields(const struct mllp_message_header_t *header,
                                               size_t first,
                                               size_t last);

// All bytes of the segment, without its terminator. Empty in the header of a batch that has no
// message.
struct mllp_slice_t mllp_message_header_raw(const struct mllp_message_header_t *header);

// MSH-1 and MSH-2 as delimiters.
struct mllp_delimiters_t mllp_message_header_delimiters(const struct mllp_message_header_t *header);

// How delimiters were searched.
mllp_scan_t mllp_message_header_scan(const struct mllp_message_header_t *header);

// Prepares a link without a connection and without messages. It keeps `incoming` for replies, until
// it is not used any more.
//
// The longest reply is `max_payload_len` or three bytes less than `incoming`, whichever is smaller.
// `MLLP_ERR_BUFFER_TOO_SMALL`: `incoming` is empty; the initiator is not prepared then.
mllp_status_t mllp_initiator_init(struct mllp_initiator_t *initiator,
                                  const struct mllp_initiator_config_t *config,
                                  uint8_t *incoming,
                                  size_t incoming_len);

// Takes a message and writes its name to `handle`. The caller keeps the payload until the verdict.
//
// `MLLP_ERR_FULL`: as many messages as `MLLP_INITIATOR_WINDOW` are without a verdict.
// `MLLP_ERR_ID_IN_USE`: one of them has this MSH-10. `MLLP_ERR_ID_TOO_LONG`: MSH-10 is longer than
// `MLLP_INITIATOR_ID`. `MLLP_ERR_RESERVED_BYTE`: the payload holds a framing byte.
mllp_status_t mllp_initiator_submit(struct mllp_initiator_t *initiator,
                                    const uint8_t *payload,
                                    size_t payload_len,
                                    uint64_t now,
                                    mllp_handle_t *handle);

// Takes back a message that waits: before it was written, between two attempts, or after CA for its
// application acknowledgment. It then has no verdict. `MLLP_NOT_FOUND`: it could not be taken back.
mllp_status_t mllp_initiator_withdraw(struct mllp_initiator_t *initiator, mllp_handle_t handle);

// 1: connect now. Take every event of the last connection first.
uint32_t mllp_initiator_wants_connection(const struct mllp_initiator_t *initiator, uint64_t now);

// A connection is open. What was received on an earlier one is forgotten.
mllp_status_t mllp_initiator_connected(struct mllp_initiator_t *initiator);

// No connection could be opened.
mllp_status_t mllp_initiator_connect_failed(struct mllp_initiator_t *initiator, uint64_t now);

// The connection was lost or its stream has ended. Replies that had come are still credited; what
// it means that the others will not come, the rules say.
mllp_status_t mllp_initiator_disconnected(struct mllp_initiator_t *initiator, uint64_t now);

// The message to write now, whole and framed, and nothing else before `mllp_initiator_sent`. Read
// what has come and take every event first. `MLLP_NOT_FOUND`: none.
mllp_status_t mllp_initiator_next_to_send(struct mllp_initiator_t *initiator,
                                          uint64_t now,
                                          mllp_handle_t *handle);

// A further message for the same write, behind the one that `mllp_initiator_next_to_send` gave.
// `MLLP_NOT_FOUND`: none. For a caller that knows how much of what it has written is still on this
// side: it calls `mllp_initiator_sent` for each of them when its last byte has left, before it takes
// in what was read after that.
mllp_status_t mllp_initiator_next_to_send_along(struct mllp_initiator_t *initiator,
                                                uint64_t now,
                                                mllp_handle_t *handle);

// The last byte of the message has been written. One that asks for no answer in any case (MSH-15 and
// MSH-16) has its verdict now: take the events.
mllp_status_t mllp_initiator_sent(struct mllp_initiator_t *initiator,
                                  mllp_handle_t handle,
                                  uint64_t now);

// No byte of the message being written has left this host, so no receiver can have it.
//
// Without this, every message that was to be written counts as possibly received. Say it right
// before `mllp_initiator_disconnected` or `mllp_initiator_on_time`, for each message that it is true
// of: it counts for that call. A message that ends there, and of which nothing left in an earlier
// attempt either, has the fate `MLLP_FATE_NOT_SENT`.
mllp_status_t mllp_initiator_not_sent(struct mllp_initiator_t *initiator,
                                      mllp_handle_t handle);

// Room for the socket to read replies into: `want` bytes as long as there are so many. Take every
// event first.
mllp_status_t mllp_initiator_spare(struct mllp_initiator_t *initiator,
                                   size_t want,
                                   struct mllp_room_t *out);

// The socket has read `len` bytes into the spare room. `MLLP_ERR_INVALID_ARGUMENT`: there is no such
// room; `len` is what a failed read returned, perhaps.
mllp_status_t mllp_initiator_commit_read(struct mllp_initiator_t *initiator,
                                         size_t len,
                                         uint64_t now);

// Takes bytes from a buffer of the caller's, as many as there is room for, and writes how many to
// `taken`. Take every event first.
mllp_status_t mllp_initiator_receive(struct mllp_initiator_t *initiator,
                                     const uint8_t *chunk,
                                     size_t chunk_len,
                                     uint64_t now,
                                     size_t *taken);

// What has happened. `MLLP_PARTIAL`: nothing; write, read, or wait for the deadline. It writes `out`
// too.
mllp_status_t mllp_initiator_next_event(struct mllp_initiator_t *initiator,
                                        uint64_t now,
                                        struct mllp_initiator_event_t *out);

// When to call `mllp_initiator_on_time`, unless something else happens first; `MLLP_NEVER`
// for never, and of an initiator that was never prepared.
//
// A time in the past while it wants a connection means just that: a caller that is connecting waits
// for its connection instead.
uint64_t mllp_initiator_next_deadline(const struct mllp_initiator_t *initiator);

// Time has passed; read what has come first. A reply that has not come is judged by the rules, and
// its connection given up, because the reply may still come. Both are different where its absence
// was to be expected: a message that asks for no receipt has succeeded, and one that was stored is
// accepted.
mllp_status_t mllp_initiator_on_time(struct mllp_initiator_t *initiator, uint64_t now);

// 1: a rule has suspended the link, and nothing is sent until `mllp_initiator_resume`.
uint32_t mllp_initiator_is_suspended(const struct mllp_initiator_t *initiator);

// Goes on after a suspension.
mllp_status_t mllp_initiator_resume(struct mllp_initiator_t *initiator);

// How many messages have no verdict yet.
size_t mllp_initiator_open_messages(const struct mllp_initiator_t *initiator);

// Whether the payload of a reply answers the message with this MSH-10: its MSA-2 repeats it byte for
// byte, or escaped where the reply has other delimiters or MSH-10 holds a framing byte. Trailing
// blanks do not count on either side. `MLLP_OK`: it does. `MLLP_NOT_FOUND`: it does not.
//
// A message without a control ID, which is an empty one, takes any reply. Of one above 256 bytes, an
// escaped MSA-2 is not recognised.
mllp_status_t mllp_answers(const uint8_t *reply,
                           size_t reply_len,
                           const uint8_t *control_id,
                           size_t control_id_len,
                           mllp_scan_t scan);

// The built-in rules; one message at a time, written within 10 seconds and answered within 10 more,
// application acknowledgments within 60; five attempts, one second apart at first and one minute at
// most.
struct mllp_initiator_config_t mllp_initiator_config_default(void);

// The stable name of a stray reply, such as `late`; `unknown` for a number that is none.
const char *mllp_stray_name(mllp_stray_t stray);

// The stable name of a fate, such as `not_sent`; `unknown` for a number that is none.
const char *mllp_fate_name(mllp_fate_t fate);

// Reads MSH-1 and MSH-2 (or those of a leading FHS or BHS) and finds the first terminator.
//
// One UTF-8 byte order mark and leading bytes up to 20 (hex) are skipped. The first of these that
// applies: `MLLP_ERR_NO_HEADER`, `MLLP_ERR_SHORT_HEADER`, `MLLP_ERR_BAD_FIELD_SEPARATOR`,
// `MLLP_ERR_NO_ENCODING_CHARACTERS`, `MLLP_ERR_BAD_ENCODING_CHARACTER`,
// `MLLP_ERR_DUPLICATE_DELIMITER`.
mllp_status_t mllp_message_parse(const uint8_t *payload,
                                 size_t payload_len,
                                 struct mllp_message_t *out);

// As `mllp_message_parse`, for a payload whose delimiters must be searched by `scan`: Shift_JIS,
// GB 18030, Big5 or ISO-2022-JP.
mllp_status_t mllp_message_parse_with(const uint8_t *payload,
                                      size_t payload_len,
                                      mllp_scan_t scan,
                                      struct mllp_message_t *out);

// Reads as much of a message as there is: for whoever must tell what a damaged message is called.
//
// As `mllp_message_parse_with`, but MSH-2 may be unusable: see `mllp_message_header_parse_lenient`.
// `MLLP_NOT_FOUND` without MSH, FHS or BHS and a usable separator.
mllp_status_t mllp_message_parse_lenient(const uint8_t *payload,
                                         size_t payload_len,
                                         mllp_scan_t scan,
                                         struct mllp_message_t *out);

// The bytes this was parsed from, all of them.
struct mllp_slice_t mllp_message_payload(const struct mllp_message_t *message);

// MSH-1 and MSH-2 as delimiters.
struct mllp_delimiters_t mllp_message_delimiters(const struct mllp_message_t *message);

// MSH-2 as it stands, a sixth and later character included.
struct mllp_slice_t mllp_message_encoding_characters(const struct mllp_message_t *message);

// Which byte ends the segments.
mllp_terminator_t mllp_message_terminator(const struct mllp_message_t *message);

// Whether this is one message or a batch: a search for a second MSH to the end of the payload.
mllp_message_kind_t mllp_message_kind(const struct mllp_message_t *message);

// 1 when a segment goes on in an ADD segment (2.10.2): the last field of the segment before it continues
// in ADD-1, and the fields behind that are ADD-2 and so on. Values are not joined. A search to the end
// of the payload.
uint32_t mllp_message_has_addenda(const struct mllp_message_t *message);

// All fields of the first MSH segment, in one pass.
//
// In a batch that starts with FHS or BHS this is the first MSH behind it, or a header whose fields
// are all empty if there is none.
mllp_status_t mllp_message_header(const struct mllp_message_t *message,
                                  struct mllp_message_header_t *out);

// All of the message, as a part whose parts are its segments, in order; empty ones are skipped.
mllp_status_t mllp_message_segments(const struct mllp_message_t *message, struct mllp_part_t *out);

// A segment of this message again, of which `raw` has all bytes: those that `mllp_part_raw` gave.
mllp_status_t mllp_message_segment_of(const struct mllp_message_t *message,
                                      const uint8_t *raw,
                                      size_t raw_len,
                                      struct mllp_part_t *out);

// The next of its parts, which is of the next level; `MLLP_NOT_FOUND` after the last one. The fields
// of a segment come in order, starting with number 1. MSH-1 and MSH-2 are never cut.
mllp_status_t mllp_part_next(struct mllp_part_t *part,
                             struct mllp_part_t *out);

// The field of a segment with this number, as HL7 counts: from 1, and in MSH, FHS and BHS the field
// separator itself is field 1. `MLLP_NOT_FOUND` if the segment ends before it, and of a part that is
// no segment.
mllp_status_t mllp_part_field(const struct mllp_part_t *segment,
                              size_t number,
                              struct mllp_part_t *out);

// Of a segment, the bytes before the first field separator, or all if there is none: three letters in
// a legal message, anything at all in others. None of a part that is no segment.
struct mllp_slice_t mllp_part_id(const struct mllp_part_t *segment);

// All bytes of the part, as they stand: of a segment without its terminator.
struct mllp_slice_t mllp_part_raw(const struct mllp_part_t *part);

// Reads a path. `MLLP_ERR_BAD_PATH` if the text is not exactly one, or a number in it is 0 or does
// not fit into 32 bits.
mllp_status_t mllp_path_parse(const uint8_t *text, size_t text_len, struct mllp_path_t *out);

// The bytes that `path` addresses. `MLLP_NOT_FOUND` if they are not there; an empty value is there.
//
// Exactly the addressed node: a path without a field is the whole segment, a path without a
// repetition and a component is the whole field with all its repetitions. Each call searches from the
// start of the payload.
mllp_status_t mllp_message_get(const struct mllp_message_t *message,
                               const struct mllp_path_t *path,
                               struct mllp_slice_t *out);

// The single value at `path`: where it names no repetition, component or subcomponent, the first one.
//
// `MLLP_NOT_FOUND` if it is not there, and for a path without a field.
mllp_status_t mllp_message_leaf(const struct mllp_message_t *message,
                                const struct mllp_path_t *path,
                                struct mllp_slice_t *out);

// As `mllp_message_leaf`, with absent, empty and null told apart.
mllp_status_t mllp_message_value(const struct mllp_message_t *message,
                                 const struct mllp_path_t *path,
                                 struct mllp_value_t *out);

// The state of what a lookup gave; a slice whose data is NULL is absent.
struct mllp_value_t mllp_value_of(struct mllp_slice_t bytes);

// Reads the header of the PROXY protocol from the first bytes of a connection: all that have come so
// far. Expect one only from proxies: a peer that connects directly can write any address into it.
//
// `MLLP_OK`: `out` is the header, and what follows its `len` bytes comes from the client.
// `MLLP_PARTIAL`: more bytes are needed, 107 in all for version 1 and 65,551 for version 2 at most;
// `out` is not written. `MLLP_ERR_NO_PROXY_HEADER`, `MLLP_ERR_BAD_PROXY_HEADER`: close the connection.
mllp_status_t mllp_proxy_header_parse(const uint8_t *first_bytes,
                                      size_t first_bytes_len,
                                      struct mllp_proxy_header_t *out);

// Prepares a buffer for the beginning of a stream. It keeps `memory` until it is not used any more.
//
// The limit is `max_payload_len` or three bytes less than the memory, whichever is smaller.
mllp_status_t mllp_receive_buffer_init(struct mllp_receive_buffer_t *buffer,
                                       const struct mllp_config_t *config,
                                       uint8_t *memory,
                                       size_t memory_len);

// Looks at the next bytes of the stream, up to the next event.
//
// `MLLP_OK`: an event, whose payload is of the chunk or of the memory; call again with what
// `consumed` leaves of the chunk. `MLLP_PARTIAL`: all of the chunk is consumed. It writes `out` too.
mllp_status_t mllp_receive_buffer_feed(struct mllp_receive_buffer_t *buffer,
                                       const uint8_t *chunk,
                                       size_t chunk_len,
                                       struct mllp_decoded_t *out);

// Room in the memory for a socket to read into: `want` bytes as long as there are so many. Take
// every event first.
mllp_status_t mllp_receive_buffer_spare(struct mllp_receive_buffer_t *buffer,
                                        size_t want,
                                        struct mllp_room_t *out);

// The socket has read `len` bytes into the spare room. `MLLP_ERR_INVALID_ARGUMENT`: there is no such
// room; `len` is what a failed read returned, perhaps.
mllp_status_t mllp_receive_buffer_commit(struct mllp_receive_buffer_t *buffer,
                                         size_t len);

// What has happened in the bytes that were committed. `MLLP_PARTIAL`: read on.
mllp_status_t mllp_receive_buffer_next_event(struct mllp_receive_buffer_t *buffer,
                                             struct mllp_event_t *out);

// The line has been idle for as long as the caller waits for a trailer (profile `resync`).
mllp_status_t mllp_receive_buffer_idle(struct mllp_receive_buffer_t *buffer,
                                       struct mllp_event_t *out);

// The stream has ended. Call it until it returns `MLLP_PARTIAL`.
mllp_status_t mllp_receive_buffer_finish(struct mllp_receive_buffer_t *buffer,
                                         struct mllp_event_t *out);

// Forgets the stream and keeps settings and memory.
mllp_status_t mllp_receive_buffer_reset(struct mllp_receive_buffer_t *buffer);

// Totals of the stream.
mllp_status_t mllp_receive_buffer_counters(const struct mllp_receive_buffer_t *buffer,
                                           struct mllp_counters_t *out);

// 1: read from the socket.
uint32_t mllp_responder_wants_input(const struct mllp_responder_t *responder);

// Bytes for the socket.
struct mllp_slice_t mllp_responder_outgoing(const struct mllp_responder_t *responder);

// The socket has taken `len` of the outgoing bytes. `MLLP_ERR_INVALID_ARGUMENT`: there were not so
// many.
mllp_status_t mllp_responder_sent(struct mllp_responder_t *responder, size_t len, uint64_t now);

// When to call `mllp_responder_on_time`, unless something else happens first; `MLLP_NEVER`
// for never, and of a responder that was never prepared.
uint64_t mllp_responder_next_deadline(const struct mllp_responder_t *responder);

// Time has passed. A time that has run out ends the connection: what was received whole is still
// answered, an open frame is reported as lost. Only the time for a trailer ends nothing: the next
// event then is the message.
//
// A caller that comes late reads what has come before it calls this.
mllp_status_t mllp_responder_on_time(struct mllp_responder_t *responder, uint64_t now);

// The peer will send nothing more. It may still take answers.
mllp_status_t mllp_responder_peer_closed(struct mllp_responder_t *responder, uint64_t now);

// The caller wants to end the connection: what has been received is answered first.
mllp_status_t mllp_responder_close(struct mllp_responder_t *responder, uint64_t now);

// 1: the connection can be closed, because everything is reported, answered and sent; also of a
// responder that was never prepared.
uint32_t mllp_responder_is_finished(const struct mllp_responder_t *responder);

// How many places wait for an answer; with commit blocks a message has two.
size_t mllp_responder_waiting(const struct mllp_responder_t *responder);

// 1: the place with this number, of a ticket or a refusal, is done. Its answer has been taken by the
// socket, or there is none to be sent. What was lost with `MLLP_LINK_ANSWERS_LOST` never is done.
// Numbers begin anew after 2^32 messages: ask within half of that.
uint32_t mllp_responder_is_settled(const struct mllp_responder_t *responder,
                                   uint32_t number);

// Bytes taken of an unfinished frame, counted from its start block; 0 between frames.
uint64_t mllp_responder_pending(const struct mllp_responder_t *responder);

// Totals of the stream.
mllp_status_t mllp_responder_counters(const struct mllp_responder_t *responder,
                                      struct mllp_counters_t *out);

// Answers the message whose payload is at hand: until the next event is taken, or, where messages
// pass by, the one whose header is: until the next frame begins. `header` and `policy` of the
// acknowledgment are filled in from it and from the settings. An answer that is too
// long is tried again without the names of the header.
//
// `MLLP_ERR_NO_TICKET`: the ticket was used, or is of no message. `MLLP_ERR_NOT_AT_HAND`: use
// `mllp_responder_answer_later`. `MLLP_ERR_BUFFER_TOO_SMALL`: it is longer than `max_answer_len`.
// `MLLP_ERR_RESERVED_BYTE`: it holds a framing byte. `MLLP_ERR_CLOSED`: the link was given up. By
// the policy `conformant`, `MLLP_ERR_NO_CONTROL_ID`, `MLLP_ERR_BATCH`, and the errors of a header
// that cannot be read. The ticket of an answer that failed is still good.
mllp_status_t mllp_responder_answer(struct mllp_responder_t *responder,
                                    struct mllp_ticket_t ticket,
                                    const struct mllp_ack_t *ack,
                                    uint64_t now);

// Answers a message that the caller has kept: its payload, or of one that passed by its
// `mllp_responder_header_bytes`. Errors as for `mllp_responder_answer`.
mllp_status_t mllp_responder_answer_later(struct mllp_responder_t *responder,
                                          struct mllp_ticket_t ticket,
                                          const uint8_t *payload,
                                          size_t payload_len,
                                          const struct mllp_ack_t *ack,
                                          uint64_t now);

// As `mllp_responder_answer_later`, for a caller that sends at once: writes the answer to `out`, where
// it is its turn, and its length to `out_len`; these bytes count as sent. A length of 0: `out` is too
// short, or it is not the turn of this answer, and `mllp_responder_outgoing` has it when it is.
mllp_status_t mllp_responder_answer_now(struct mllp_responder_t *responder,
                                        struct mllp_ticket_t ticket,
                                        const uint8_t *payload,
                                        size_t payload_len,
                                        const struct mllp_ack_t *ack,
                                        uint64_t now,
                                        uint8_t *out,
                                        size_t out_capacity,
                                        size_t *out_len);

// Answers with a payload that the caller made, without a frame.
//
// `MLLP_ERR_NO_TICKET`, `MLLP_ERR_BUFFER_TOO_SMALL`, `MLLP_ERR_RESERVED_BYTE` and
// `MLLP_ERR_CLOSED` as for `mllp_responder_answer`.
mllp_status_t mllp_responder_answer_with(struct mllp_responder_t *responder,
                                         struct mllp_ticket_t ticket,
                                         const uint8_t *answer,
                                         size_t answer_len,
                                         uint64_t now);

// The message gets no answer: enhanced mode asked for none, or it is an acknowledgment itself.
mllp_status_t mllp_responder_leave_unanswered(struct mllp_responder_t *responder,
                                              struct mllp_ticket_t ticket,
                                              uint64_t now);

// MLLP release 2: the message is in safe storage, and its sender may know before the message is
// answered. An answer without it does the same. The ticket stays good.
mllp_status_t mllp_responder_commit(struct mllp_responder_t *responder,
                                    struct mllp_ticket_t ticket,
                                    uint64_t now);

// MLLP release 2: the message could not be stored. It gets no other answer, and its sender sends it
// again.
mllp_status_t mllp_responder_refuse_commit(struct mllp_responder_t *responder,
                                           struct mllp_ticket_t ticket,
                                           uint64_t now);

// Refuses the message over the limit whose beginning is at hand. The code of the acknowledgment is
// replaced by a negative one at the same level.
//
// MLLP release 2: the negative commit block is all that the sender gets, because the message is not
// in safe storage (1.2.1). Errors as for `mllp_responder_answer`; the refusal is still good then.
mllp_status_t mllp_responder_refuse(struct mllp_responder_t *responder,
                                    struct mllp_refusal_t refusal,
                                    mllp_refuse_t refuse,
                                    const struct mllp_ack_t *ack,
                                    uint64_t now);

// The message over the limit gets no answer: there is no way to refuse it.
mllp_status_t mllp_responder_leave_unrefused(struct mllp_responder_t *responder,
                                             struct mllp_refusal_t refusal,
                                             uint64_t now);

// Prepares a responder for messages larger than memory, on a connection that was accepted at `now`.
// It stores no payload: the bytes pass by as spans of the input. It keeps `answers` for answers that
// wait, until it is not used any more.
//
// A header is kept whole when its MSH segment, with the CR behind it, has up to
// `MLLP_RESPONDER_HEADER` bytes. Of a longer one, the fields that were kept whole are there, and the
// others are absent: no control ID is ever cut short. The length of a message is limited by
// `max_payload_len` alone, which may be `SIZE_MAX`.
//
// `MLLP_ERR_BUFFER_TOO_SMALL`: no message could ever be taken, because `answers` is shorter than
// `max_answer_len`, with commit blocks twice that; the responder is not prepared then.
mllp_status_t mllp_responder_init_stream(struct mllp_responder_t *responder,
                                         const struct mllp_responder_config_t *config,
                                         uint8_t *answers,
                                         size_t answers_len,
                                         uint64_t now);

// Looks at the bytes that come next in the stream, up to the next event. Without input it reports
// what is due. Writes to `consumed` how many bytes are done with; the next call takes the rest.
//
// `MLLP_OK`: an event. `MLLP_PARTIAL`: the input is consumed, or no input is wanted and the rest is
// for later. It writes both outputs too. The payload of a span is of the input.
mllp_status_t mllp_responder_step(struct mllp_responder_t *responder,
                                  const uint8_t *input,
                                  size_t input_len,
                                  uint64_t now,
                                  size_t *consumed,
                                  struct mllp_responder_event_t *out);

// The bytes that are kept of the header of the message whose frame began last, as far as it has
// come: the whole MSH segment and what stands before it, or as many whole fields as there is room
// for. Until the next frame begins. `mllp_message_header_parse_lenient` reads them; a caller that
// answers later keeps them.
struct mllp_slice_t mllp_responder_header_bytes(const struct mllp_responder_t *responder);

// Prepares a responder for a connection that was accepted at `now`. It keeps `incoming` for what is
// received and `answers` for answers that wait, until it is not used any more.
//
// The longest message is `max_payload_len` or three bytes less than `incoming`, whichever is
// smaller. `MLLP_ERR_BUFFER_TOO_SMALL`: no message could ever be taken, because `incoming` is empty
// or `answers` is shorter than `max_answer_len`, with commit blocks twice that; the responder is not
// prepared then.
mllp_status_t mllp_responder_init(struct mllp_responder_t *responder,
                                  const struct mllp_responder_config_t *config,
                                  uint8_t *incoming,
                                  size_t incoming_len,
                                  uint8_t *answers,
                                  size_t answers_len,
                                  uint64_t now);

// Room for the socket to read into: `want` bytes as long as there are so many, none while no input
// is wanted. Take every event first.
mllp_status_t mllp_responder_spare(struct mllp_responder_t *responder,
                                   size_t want,
                                   struct mllp_room_t *out);

// The socket has read `len` bytes into the spare room. `MLLP_ERR_INVALID_ARGUMENT`: there is no such
// room; `len` is what a failed read returned, perhaps.
mllp_status_t mllp_responder_commit_read(struct mllp_responder_t *responder,
                                         size_t len,
                                         uint64_t now);

// Takes bytes from a buffer of the caller's, as many as there is room for, and writes how many to
// `taken`. Take every event first.
mllp_status_t mllp_responder_receive(struct mllp_responder_t *responder,
                                     const uint8_t *chunk,
                                     size_t chunk_len,
                                     uint64_t now,
                                     size_t *taken);

// Takes bytes from a buffer of the caller's up to the next event, and copies none of a message that
// lies whole in it: `payload` of the event then is of the chunk. Writes to `consumed` how many bytes
// are done with; the next call takes the rest.
//
// `MLLP_OK`: an event. `MLLP_PARTIAL`: the chunk is done with, or there is no room for what is left of
// it, which comes first when there is. It writes both outputs too. Answer such a message with
// `mllp_responder_answer_now` or `mllp_responder_answer_later`, which are given the payload.
mllp_status_t mllp_responder_feed(struct mllp_responder_t *responder,
                                  const uint8_t *chunk,
                                  size_t chunk_len,
                                  uint64_t now,
                                  size_t *consumed,
                                  struct mllp_responder_event_t *out);

// What has happened. `MLLP_PARTIAL`: nothing; send, read, or wait for the deadline. It writes `out`
// too.
mllp_status_t mllp_responder_next_event(struct mllp_responder_t *responder,
                                        uint64_t now,
                                        struct mllp_responder_event_t *out);

// The payload of the message, or the beginning of the one to be refused, that the last event was
// about: until the next event is taken, or bytes of the peer. Otherwise none.
struct mllp_slice_t mllp_responder_payload(const struct mllp_responder_t *responder);

// 10 seconds each, 60 seconds for a whole frame, and a quarter of a second for a trailer.
struct mllp_times_t mllp_times_default(void);

// The defaults of all parts; the policy `always`, connections that end at a message over the limit,
// answers of up to 1 KiB, no commit blocks.
struct mllp_responder_config_t mllp_responder_config_default(void);

// The stable name of a reason, such as `idle_timeout`; `unknown` for a number that is none.
const char *mllp_close_reason_name(mllp_close_reason_t close_reason);

// Prepares the list of the built-in rules.
mllp_status_t mllp_rules_init(struct mllp_rules_t *rules);

// Prepares the list that `text` says: `condition=action` or `condition=action+warn`, separated by
// commas, semicolons, blanks or line ends, with no blank inside; `#` begins a comment that ends with
// the line. Case is ignored. The list may be empty.
//
// Conditions are the codes, `accept`, `error`, `reject`, `no-msa`, `wrong-id`, `no-reply`, `not-hl7`
// and `*`; actions are `accept`, `retry`, `suspend` and `fail`.
//
// The first rule that is wrong gives one of `MLLP_ERR_UNKNOWN_CONDITION`,
// `MLLP_ERR_UNKNOWN_ACTION`, `MLLP_ERR_MISSING_ACTION`, `MLLP_ERR_TOO_MANY_RULES` and
// `MLLP_ERR_UNSAFE_ACCEPT`, and `mllp_rules_error_at` says which one it is. Text that is not UTF-8
// gives `MLLP_ERR_INVALID_ARGUMENT`.
mllp_status_t mllp_rules_parse(struct mllp_rules_t *rules,
                               const uint8_t *text,
                               size_t text_len);

// The number of the first rule in `text` that is wrong, from 1. 0 when none is, or when there is no
// text to read.
size_t mllp_rules_error_at(const uint8_t *text, size_t text_len);

// What is done about a reply, and by which rule.
mllp_status_t mllp_rules_judge(const struct mllp_rules_t *rules,
                               mllp_reply_kind_t reply,
                               struct mllp_verdict_t *out);

// As it is written in a list of rules, such as `no-msa`; `unknown` for a number that is none.
const char *mllp_reply_kind_name(mllp_reply_kind_t reply);

// As it is written in a list of rules, such as `reject`; `unknown` for a number that is none.
const char *mllp_rule_condition_name(mllp_rule_condition_t condition);

// As it is written in a list of rules, such as `retry`; `unknown` for a number that is none.
const char *mllp_action_name(mllp_action_t action);

// Prepares a scanner for the beginning of a stream.
mllp_status_t mllp_scanner_init(struct mllp_scanner_t *scanner, const struct mllp_config_t *config);

// Looks at the bytes that come next in the stream, up to the next event.
//
// `MLLP_OK`: an event; call again with what `consumed` leaves of the input. `MLLP_PARTIAL`: all of
// the input is consumed. It writes `out` too.
mllp_status_t mllp_scanner_step(struct mllp_scanner_t *scanner,
                                const uint8_t *input,
                                size_t input_len,
                                struct mllp_decoded_t *out);

// The line has been idle for as long as the caller waits for a trailer (profile `resync`).
// `MLLP_PARTIAL`: that decided nothing.
mllp_status_t mllp_scanner_idle(struct mllp_scanner_t *scanner, struct mllp_event_t *out);

// The stream has ended. Call it until it returns `MLLP_PARTIAL`.
mllp_status_t mllp_scanner_finish(struct mllp_scanner_t *scanner, struct mllp_event_t *out);

// Forgets the stream and keeps the settings.
mllp_status_t mllp_scanner_reset(struct mllp_scanner_t *scanner);

// Totals of the stream.
mllp_status_t mllp_scanner_counters(const struct mllp_scanner_t *scanner,
                                    struct mllp_counters_t *out);

// Takes MSH-13 of a message and moves on if it fits.
mllp_status_t mllp_sequence_receiver_receive(struct mllp_sequence_receiver_t *receiver,
                                             const uint8_t *sequence_number,
                                             size_t sequence_number_len,
                                             struct mllp_sequence_answer_t *out);

// From the number of the refused message and MSA-4 of the refusal.
mllp_status_t mllp_sequence_action_after_refusal(int64_t sent,
                                                 const uint8_t *expected_sequence_number,
                                                 size_t expected_sequence_number_len,
                                                 struct mllp_sequence_action_t *out);

// The stable name of a status, the same in every language where the thing has a name there:
// `reserved_byte`, for instance. `unknown` for a number that is none. Never NULL.
const char *mllp_status_name(mllp_status_t status);

// Universal time in fourteen digits: `seconds` since 1970-01-01T00:00:00Z, without leap seconds. Times
// before the year 0 or after 9999 become the first or last that four digits of year can write.
//
// This is the form of the policy `always`. Chapter 2 takes a time without an offset for the sender's
// local time (2.A.22): for the policy `conformant` write `mllp_timestamp_with_offset(seconds, 0)`.
struct mllp_timestamp_t mllp_timestamp_utc(int64_t seconds);

// Local time with its offset from universal time, in minutes east of Greenwich. Offsets beyond 14
// hours are taken as 14 hours.
struct mllp_timestamp_t mllp_timestamp_with_offset(int64_t seconds, int16_t offset_minutes);

// The version of the library that is linked, as text: `0.1.0`. The macros are of the header.
const char *mllp_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MLLP_H */
