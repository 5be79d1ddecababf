/* mllp.h: MLLP framing, HL7 v2 headers and acknowledgments, and both ends of a link. C99 and C++.
 *
 * Made by cbindgen from the sources in bindings-c: do not edit. MIT OR Apache-2.0.
 *
 * The contract, once for everything below:
 *
 *  1 Every name begins with mllp_ or MLLP_. A function that begins with the name of a type is a
 *    function of that type.
 *  2 A state is a struct of the caller's, by value, prepared by its _init function. There is nothing
 *    to free, no callback, no global, no allocation, no clock and no system call. Members that begin
 *    with an underscore are private. A state that was never prepared but zeroed, or is of another
 *    type, is answered with MLLP_ERR_NOT_INITIALISED. A state may be moved by copying it; of two
 *    copies only one may be used further when it was given memory.
 *  3 Memory that is given to a state at its _init belongs to the state for as long as it is used. It
 *    need not be initialised, and must not move.
 *  4 What can go wrong returns an mllp_status_t: MLLP_OK, a condition above 0 (the call did its work,
 *    and this is the answer), or an error below 0 (the call did nothing).
 *  5 Inputs come first, outputs last. Outputs are written only by a status of 0 or above, except the
 *    bytes of a buffer too small for what was to be written.
 *  6 A buffer is a pointer and a length in bytes; NULL with length 0 is an empty one. An mllp_slice_t
 *    that a call gives out borrows from the buffer or the state it was given: it is valid until that
 *    buffer changes or a function that changes the state is called. Buffers of one call must not
 *    overlap where one of them is written.
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

// `<SB>`, the start block character (MLLP release 1, C.4.2).
#define MLLP_START_BLOCK 11

// `<EB>`, the end block character (MLLP release 1, C.4.2).
#define MLLP_END_BLOCK 28

// `<CR>`, the trailer behind the end block, and the segment terminator of HL7 v2.
#define MLLP_CARRIAGE_RETURN 13

// How much longer than its payload a frame of MLLP is, in bytes.
#define MLLP_FRAME_OVERHEAD 3

// Changes of this number may break callers.
#define MLLP_VERSION_MAJOR 0

// Before 1.0, changes of this number may break callers.
#define MLLP_VERSION_MINOR 1

// Corrections.
#define MLLP_VERSION_PATCH 0

// `MLLP_VERSION_MAJOR * 1000000 + MLLP_VERSION_MINOR * 1000 + MLLP_VERSION_PATCH`, to compare.
#define MLLP_VERSION_NUMBER 1000

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

// What a call returns: `MLLP_OK`, a condition above 0, or an error below 0.
//
// The numbers never change. Errors come in blocks: from -1 on what any call can return, from -100
// on frames, from -200 on messages, from -300 on acknowledgments, from -400 on links.
typedef int32_t mllp_status_t;

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

// Bytes lent to the caller. `data` may be NULL when `len` is 0.
//
// They belong to the buffer or the state that was passed in, and are gone when that is changed.
typedef struct mllp_slice_t {
    // The first byte.
    const uint8_t *data;
    // How many bytes.
    size_t len;
} mllp_slice_t;

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

// Finds whole frames in chunks and puts together in its memory what is split between them. A frame
// that arrives whole is borrowed from its chunk.
typedef struct mllp_receive_buffer_t {
    uint64_t _state[31];
} mllp_receive_buffer_t;

// Room that the caller may write to: see the call that lends it.
typedef struct mllp_room_t {
    // The first byte.
    uint8_t *data;
    // How many bytes.
    size_t len;
} mllp_room_t;

// Cuts a stream into frames without storing any of it: payload leaves as spans of the input. For
// messages larger than memory.
typedef struct mllp_scanner_t {
    uint64_t _state[23];
} mllp_scanner_t;

// The end block alone ends a frame; a start block inside a frame is payload, and is reported. The
// default: it answers every sender at once. Its price: a sender that dies in mid-message and starts
// again on the same connection has two messages fused.
#define MLLP_PROFILE_PERMISSIVE 0

// Two messages are never fused: a start block inside a frame drops the frame, and an end block ends
// it only when a trailer, a line feed, a start block, a pause or the end of the stream follows.
#define MLLP_PROFILE_RESYNC 1

// The published grammar and nothing else. For conformance tests.
#define MLLP_PROFILE_STRICT 2

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
// has the first bytes of it: for a refusal that quotes MSH-10, never for a positive answer.
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

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// `0B payload 1C 0D`.
struct mllp_framing_t mllp_framing_default(void);

// The profile `permissive`, MLLP framing, and payloads of up to 1 MiB.
struct mllp_config_t mllp_config_default(void);

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

// The stable name of what a payload is, such as `commit_ack`; `unknown` for a number that is none.
const char *mllp_frame_kind_name(mllp_frame_kind_t frame_kind);

// The stable name of one deviation, such as `missing_cr`; `unknown` for a number that is none.
const char *mllp_deviation_name(mllp_deviations_t deviation);

// The stable name of a fault, such as `too_large`; `unknown` for a number that is none.
const char *mllp_fault_name(mllp_fault_t fault);

// The stable name of a reason, such as `outside`; `unknown` for a number that is none.
const char *mllp_discard_reason_name(mllp_discard_reason_t discard_reason);

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

// The socket has read `len` bytes into the spare room.
mllp_status_t mllp_receive_buffer_commit(struct mllp_receive_buffer_t *buffer, size_t len);

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

// The stable name of a status, the same in every language where the thing has a name there:
// `reserved_byte`, for instance. `unknown` for a number that is none. Never NULL.
const char *mllp_status_name(mllp_status_t status);

// The version of the library that is linked, as text: `0.1.0`. The macros are of the header.
const char *mllp_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MLLP_H */
