//! What the proof finds: ways on which the promise would not be kept, and sections that no call comes to.

use super::{Code, example};

pub(super) const CODES: [Code; 9] = [
    Code {
        code: "D031",
        title: "a play or a say leads to a hang-up without being finished",
        means: "A call may end only after a service that is done, once the human option has been spoken and awaited. \
            `finished = true` says so.",
        callers: "they are hung up on without having been offered a person.",
        repair: "add `finished = true`.",
        example: example!("d031-not-finished"),
    },
    Code {
        code: "D032",
        title: "a hang-up before anything was done",
        means: "A key, opening hours, a look-up, a set or a line's start leads to a hang-up. The system never ends a call before a person, a kept promise or a finished service. The proof has found a call that would end so, and shows the shortest one.",
        callers: "they are hung up on with nothing done.",
        repair: "lead to a finished play, a voicemail or a queue.",
        example: example!("d032-early-hang-up"),
    },
    Code {
        code: "D033",
        title: "who is owed a person would not get one",
        means: "A queue's `else` is for callers who have asked for a person while none can be had. On every way from there the call may end only after something has been kept for them: another queue, a voicemail, a callback, or (with no `else`) a promised call-back. The same holds for callers who go straight to a person and are never to be asked for a key. The message names the place that leads into the hang-up; the shortest call shows how one gets there.",
        callers: "they ask for a person and the call ends.",
        repair: "lead to another queue or a voicemail, or leave `else` out.",
        example: example!("d033-refused-and-hung-up"),
    },
    Code {
        code: "D034",
        title: "a way on which a silent caller never reaches a person",
        means: "A caller who does nothing is led in a circle, by whatever happens without a key (prompts that end, hours, look-ups that fail, queues that cannot serve, the silence of menus), and nothing on it ever leads out to a person. The message names the circle; the shortest call shows how one gets into it.",
        callers: "who cannot press a key never reaches a person.",
        repair: "break the circle: lead one of its sections to a queue, and let a queue have no `else`.",
        example: example!("d034-round-for-ever"),
    },
    Code {
        code: "D035",
        title: "queues in a circle",
        means: "The `else` of queues leads from one to the next and back to the first. No call goes round in it (it is promised a call-back when it would come to a queue a second time), but whoever wrote it meant something else.",
        callers: "while nobody can serve they are sent through all of these queues, and then promised a call-back.",
        repair: "let the last queue have no `else`.",
        example: example!("d035-queues-in-a-circle"),
    },
    Code {
        code: "D036",
        title: "nothing leads to a section",
        means: "No call of any line can come to this section, whatever callers do. The dialplan is taken all the same.",
        callers: "they never meet it; perhaps a key that should lead here is missing.",
        repair: "lead to it, or delete it.",
        example: example!("d036-unreachable"),
    },
    Code {
        code: "D047",
        title: "a menu awaits a key before a person was offered",
        means: "On some way to this menu no prompt offers a person in words before callers are asked for a key. 0 works all the same, so the dialplan is taken.",
        callers: "who does not know the key will not press it.",
        repair: "say \"for a person, press 0\" first and mark the prompt with `offers_human = true`.",
        example: example!("d047-menu-does-not-offer"),
    },
    Code {
        code: "D048",
        title: "callers are told of a person too late",
        means: "From the answer on, a person must be offered in words within `announce_within` (30s unless the line says otherwise). The time is that of the slowest caller who does nothing, counted by the lengths of the prompts and of the waits for a key; the shortest call shows it.",
        callers: "they listen for long before they learn that a person can be had.",
        repair: "offer the key 0 in the first prompt.",
        example: example!("d048-told-too-late"),
    },
    Code {
        code: "D070",
        title: "help comes too late for who does nothing",
        means: "A caller who presses nothing must be with a person, or have been promised a call-back, within `help_within` (180s unless the line says otherwise). The time is that of the longest way, counted by the lengths of the prompts and of the waits for a key; the shortest call shows it.",
        callers: "those who cannot press a key wait too long for help.",
        repair: "shorten the prompts on this way, ask for fewer keys, lead to a queue earlier, or set `help_within` where the line really needs the time.",
        example: example!("d070-help-too-late"),
    },
];
