//! The simulation can fail: every broken variant breaks its invariant, and nothing else does.

use crate::invariant::Invariant;
use crate::outcome;
use crate::sabotage::Sabotage;

/// Within so many seeds a variant must be caught.
const SEEDS: u64 = 500;

fn is_caught(sabotage: Sabotage, invariant: Invariant) {
    let broken = |seed| outcome(seed, sabotage).err().filter(|it| it.contains(invariant.name()));
    let caught = (0..SEEDS).find_map(|seed| broken(seed).map(|what| (seed, what)));
    let (seed, what) = caught.unwrap_or_else(|| panic!("{sabotage:?} goes unnoticed"));
    println!("{sabotage:?}, seed {seed}: {what}");
    assert_eq!(outcome(seed, sabotage), Err(what), "a seed replays its run");
    assert_eq!(outcome(seed, Sabotage::None), Ok(()), "the sound code survives the same run");
}

macro_rules! caught {
    ($($test:ident: $sabotage:ident breaks $invariant:ident;)*) => {$(
        #[test]
        fn $test() {
            is_caught(Sabotage::$sabotage, Invariant::$invariant);
        }
    )*};
}

caught! {
    two_messages_are_fused: FusedRestart breaks Truncated;
    bytes_of_an_old_connection_are_kept: KeptBytes breaks Truncated;
    a_deadline_of_the_receiver_is_dropped: DroppedDeadline breaks Deadline;
    answers_leave_in_the_order_of_finishing: OrderOfFinishing breaks Answered;
    a_truncated_frame_is_completed: TruncatedCompleted breaks Truncated;
    an_answer_is_sent_twice: AnsweredTwice breaks Answered;
    owed_answers_are_forgotten_when_a_time_runs_out: OwedForgotten breaks Answered;
    unread_frames_are_forgotten_when_a_time_runs_out: UnreadForgotten breaks Answered;
    bytes_are_taken_without_end: Hoarding breaks Memory;
    replies_are_matched_by_order: MatchedByOrder breaks Credited;
    a_deadline_of_the_sender_is_dropped: DroppedReplyDeadline breaks Deadline;
    half_a_reply_of_an_old_connection_is_kept: KeptReply breaks Truncated;
    a_verdict_is_given_twice: VerdictTwice breaks Verdict;
    a_verdict_is_lost: VerdictSwallowed breaks Verdict;
    the_host_denies_what_has_left: NothingLeft breaks Fate;
    silence_is_called_a_success: SilenceAccepted breaks Fate;
    a_suspended_link_is_not_resumed: ResumeIgnored breaks Progress;
}
