//! The codes of diagnostics: stable for ever, each with what it means, what callers would meet, and what to do.
//!
//! The examples are the golden files of `tests/diagnostics/`, so they always show what the checker says today. A long file,
//! because it is a list of texts.

/// One code and its explanation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// Such as `D010`.
    pub code: &'static str,
    pub title: &'static str,
    pub means: &'static str,
    pub callers: &'static str,
    pub repair: &'static str,
    /// Input, a line of dashes, and its drawing; empty where no dialplan can show it.
    pub example: &'static str,
}

macro_rules! example {
    ($file:literal) => {
        include_str!(concat!("../../tests/diagnostics/", $file, ".txt"))
    };
}

/// In the order of their numbers. A number that is not here was never given, or is not given any more.
pub const CODES: [Code; 47] = [
    Code {
        code: "D001",
        title: "a line cannot be read",
        means: "The file breaks the rules of TOML, the form in which dialplans are written: a quote or a bracket is not \
            closed, a `=` or a comma is missing, quotes are curly. All such places of all files are told in one run; \
            what else is in the files is checked as far as it can be read.",
        callers: "what stands in that line would be missing from the call.",
        repair: "mend the characters under the caret: `key = \"text\"`, `key = [\"one\", \"two\"]`, `[kind.name]`.",
        example: example!("d001-syntax"),
    },
    Code {
        code: "D002",
        title: "a key is written # or *",
        means: "The keys # and * of a telephone are written `hash` and `star`. A bare # begins a remark in these files, \
            so the line would silently do nothing, and a bare * cannot be read.",
        callers: "whoever presses that key would hear that it was not understood.",
        repair: "write `hash = ...` or `star = ...`.",
        example: example!("d002-bare-key"),
    },
    Code {
        code: "D003",
        title: "a section of an unknown kind, or none",
        means: "Sections are `[line.NAME]`, `[menu.NAME]`, `[play.NAME]`, `[hours.NAME]`, `[queue.NAME]`, \
            `[voicemail.NAME]` and `[hangup.NAME]`; each has a kind and a name, and every setting stands in one.",
        callers: "they would never get to what stands there.",
        repair: "correct the kind, add the name, or move the setting under its section's header.",
        example: example!("d003-unknown-section"),
    },
    Code {
        code: "D004",
        title: "a section has no such setting",
        means: "Every kind of section knows a fixed list of settings. A word that is not in it is most often misspelt, \
            and the default would be used without a word.",
        callers: "the menu, queue or line would behave by its defaults instead of as it was meant.",
        repair: "correct the word, or delete the line.",
        example: example!("d004-unknown-setting"),
    },
    Code {
        code: "D005",
        title: "a value is of the wrong sort",
        means: "Texts, names, numbers to dial, targets and lengths of time stand in quotes; counts and true or false \
            stand without; lists stand in [ ].",
        callers: "the default would be used instead of what was meant.",
        repair: "write the value in the form that the message names.",
        example: example!("d005-wrong-type"),
    },
    Code {
        code: "D006",
        title: "a length of time cannot be read",
        means: "A length of time is a number and a unit in quotes: \"500ms\", \"5s\", \"2m\", \"1h\".",
        callers: "a wait would have another length than was meant.",
        repair: "write it as \"5s\".",
        example: example!("d006-length-of-time"),
    },
    Code {
        code: "D007",
        title: "a number or a time is out of range",
        means: "Limits keep a slip from hurting callers: a menu that waits for two minutes, or one that gives up after \
            no error at all.",
        callers: "too long a silence, or no chance to choose.",
        repair: "use a value within the limits, or leave the line out: the default is good.",
        example: example!("d007-out-of-range"),
    },
    Code {
        code: "D008",
        title: "a name that no target could hold",
        means: "Names are made of letters (of any script), digits, `-` and `_`, at most 64 bytes, because a target is \
            two words: kind and name.",
        callers: "nothing could lead them to this section.",
        repair: "take the name that the message offers.",
        example: example!("d008-bad-name"),
    },
    Code {
        code: "D009",
        title: "a target cannot be read",
        means: "A target is a kind and a name (`menu bills`), or one of the words `repeat`, `back`, `start`, `human`. A \
            line's `start` must be a kind and a name.",
        callers: "they would be sent to a person instead.",
        repair: "write the kind before the name.",
        example: example!("d009-not-a-target"),
    },
    Code {
        code: "D010",
        title: "something is named that does not exist",
        means: "A target, a `start`, a `human.to` or a queue's `hours` names a section that is in no file of the folder. \
            Names are global in the folder.",
        callers: "they would be sent to a person instead, or could not be served.",
        repair: "correct the name, or add the section.",
        example: example!("d010-no-such-section"),
    },
    Code {
        code: "D012",
        title: "the same thing is written twice",
        means: "Two sections of one kind have the same name (in one file or in two), or a setting stands twice in one \
            section.",
        callers: "which of the two they met would be chance.",
        repair: "rename or delete one of the two.",
        example: example!("d012-twice"),
    },
    Code {
        code: "D013",
        title: "0 is bound in a menu",
        means: "0 is the human key: it reaches a person from everywhere. The call takes it before any menu sees it, so \
            the line could never act, and no dialplan may give the impression that it does.",
        callers: "none, because 0 reaches a person all the same; the service in the menu would be out of reach.",
        repair: "use another key: 1 to 9, `star` or `hash`.",
        example: example!("d013-human-key"),
    },
    Code {
        code: "D015",
        title: "a step says nothing",
        means: "A menu, a play or a voicemail needs `say`, a list of prompt ids.",
        callers: "silence, without knowing what to do.",
        repair: "add `say = [\"prompt-id\"]`.",
        example: example!("d015-says-nothing"),
    },
    Code {
        code: "D016",
        title: "a menu has no keys",
        means: "A menu asks for a key and has none that it knows.",
        callers: "every key is wrong; after the second error they are sent to a person.",
        repair: "add keys, or make it a `[play.NAME]`.",
        example: example!("d016-no-keys"),
    },
    Code {
        code: "D017",
        title: "a line does not say where it starts",
        means: "`start` is where callers of the line begin.",
        callers: "the call is answered and nothing happens.",
        repair: "add `start = \"menu main\"`.",
        example: example!("d017-no-start"),
    },
    Code {
        code: "D018",
        title: "a line does not say who answers the key 0",
        means: "`to` in `[line.NAME.human]` names the queue that 0, silence and wrong keys lead to. Without it the \
            promise cannot be kept.",
        callers: "0 reaches nobody.",
        repair: "add `[line.NAME.human]` with `to = \"queue NAME\"`.",
        example: example!("d018-no-human"),
    },
    Code {
        code: "D019",
        title: "the human key leads to something that is no queue",
        means: "Only in a queue do people answer. 0 must lead to one at once, not to another menu.",
        callers: "they ask for a person and meet a machine again.",
        repair: "write `to = \"queue NAME\"`.",
        example: example!("d019-human-not-a-queue"),
    },
    Code {
        code: "D020",
        title: "a rule of `direct` cannot be read",
        means: "`direct` lists who meets no menu: \"age >= 65\" or \"flag assist\" (a flag of the registry).",
        callers: "those who should go straight to a person meet the menu.",
        repair: "write one of the two forms.",
        example: example!("d020-direct"),
    },
    Code {
        code: "D021",
        title: "the registry cannot tell this age",
        means: "The registry keeps no birth dates, only whether (or in which month) a caller reaches each age of \
            `registry.thresholds`. An age that is not listed can never be found.",
        callers: "callers of that age meet the menu.",
        repair: "add the age to `registry.thresholds` and import the people again.",
        example: example!("d021-unknown-age"),
    },
    Code {
        code: "D022",
        title: "a number belongs to two lines",
        means: "Each dialled number leads to one line.",
        callers: "which line they reach would be chance.",
        repair: "delete the number in one of the lines.",
        example: example!("d022-number-twice"),
    },
    Code {
        code: "D023",
        title: "a line has no numbers",
        means: "`numbers` lists what callers dial to reach the line: the user part of the called address.",
        callers: "nobody can reach the line.",
        repair: "add `numbers = [\"5550100\"]`.",
        example: example!("d023-no-numbers"),
    },
    Code {
        code: "D024",
        title: "a number cannot be dialled",
        means: "A number is compared, letter by letter, with what the caller's phone sends: digits (or letters), `+`, \
            `-`, `_`, `.`, without spaces or brackets.",
        callers: "they dial it and are told that it does not exist.",
        repair: "write it without spaces and brackets.",
        example: example!("d024-cannot-be-dialled"),
    },
    Code {
        code: "D025",
        title: "`back` has no one meaning",
        means: "`back` is the one menu that leads to this section, also through plays and hours. Where several menus do, \
            or none, nobody can say which is meant.",
        callers: "they would come out somewhere unexpected.",
        repair: "name the menu: \"menu main\".",
        example: example!("d025-back-ambiguous"),
    },
    Code {
        code: "D026",
        title: "opening hours cannot be read",
        means: "Opening hours are days and times: \"mon-fri 08:00-20:00\", \"sat,sun 09:00-17:00\", \"daily \
            00:00-24:00\"; \"fri 22:00-06:00\" ends on Saturday.",
        callers: "open would be closed, or closed open.",
        repair: "write days (mon tue wed thu fri sat sun, or daily), a space, and two times of 24 hours.",
        example: example!("d026-opening-hours"),
    },
    Code {
        code: "D027",
        title: "there is no such time zone",
        means: "Zones have the names of the IANA list: a continent and a city.",
        callers: "opening hours by another clock.",
        repair: "take the name that the message offers.",
        example: example!("d027-time-zone"),
    },
    Code {
        code: "D028",
        title: "a holiday cannot be read",
        means: "A holiday is a date, \"2027-01-01\", or a part of one, \"2027-02-15 12:00-24:00\", by the clock of the \
            zone.",
        callers: "they are told that it is open while nobody is there.",
        repair: "write year-month-day.",
        example: example!("d028-holiday"),
    },
    Code {
        code: "D029",
        title: "hours are not whole",
        means: "Hours need `zone` and `open`, and, where calls come to them, `then` (while open) and `else` (while \
            closed). Hours that only queues ask need no `then` and `else`.",
        callers: "there is no way on for them at some time of the day.",
        repair: "add what is missing.",
        example: example!("d029-hours-incomplete"),
    },
    Code {
        code: "D030",
        title: "a play does not say what comes after it",
        means: "A play either goes on (`then`) or is the end of a service (`finished = true`), after which a person is \
            offered before the call ends.",
        callers: "silence after the words.",
        repair: "add `then = \"menu main\"` or `finished = true`.",
        example: example!("d030-what-then"),
    },
    Code {
        code: "D031",
        title: "a play leads to a hang-up without being finished",
        means: "A call may end only after a service that is done, once the human option has been spoken and awaited. \
            `finished = true` says so.",
        callers: "they are hung up on without having been offered a person.",
        repair: "add `finished = true`.",
        example: example!("d031-not-finished"),
    },
    Code {
        code: "D032",
        title: "a hang-up before anything was done",
        means: "A menu's key, opening hours or a line's start lead to a hang-up. The system never ends a call before a \
            person, a kept promise or a finished service.",
        callers: "they are hung up on with nothing done.",
        repair: "lead to a finished play, a voicemail or a queue.",
        example: example!("d032-early-hang-up"),
    },
    Code {
        code: "D033",
        title: "who asked for a person would be hung up on",
        means: "A queue's `else` is for callers who have asked for a person while none can be had. Only another queue, a \
            voicemail, or (with no `else`) a promised call-back keeps the promise to them.",
        callers: "they ask for a person and the call ends.",
        repair: "lead to another queue or a voicemail, or leave `else` out.",
        example: example!("d033-refused-and-hung-up"),
    },
    Code {
        code: "D034",
        title: "a way on which a silent caller goes round for ever",
        means: "Plays, hours, queues that cannot serve, and the silence of menus lead round in a circle with no way out.",
        callers: "who cannot press a key never reaches a person.",
        repair: "break the circle: let a queue have no `else`.",
        example: example!("d034-round-for-ever"),
    },
    Code {
        code: "D035",
        title: "queues in a circle",
        means: "The `else` of queues leads from one to the next and back to the first.",
        callers: "while nobody can serve they are sent on and on.",
        repair: "let the last queue have no `else`.",
        example: example!("d035-queues-in-a-circle"),
    },
    Code {
        code: "D036",
        title: "nothing leads to a section",
        means: "No line can come to this section. The dialplan is taken all the same.",
        callers: "they never meet it; perhaps a key that should lead here is missing.",
        repair: "lead to it, or delete it.",
        example: example!("d036-unreachable"),
    },
    Code {
        code: "D037",
        title: "an unknown way to choose an agent",
        means: "`strategy` is \"longest_idle\" (who has been free for longest) or \"ring_all\" (all who are free at \
            once).",
        callers: "the default, longest_idle, would be used.",
        repair: "write one of the two.",
        example: example!("d037-strategy"),
    },
    Code {
        code: "D038",
        title: "an agent who does not exist",
        means: "`agents` of a queue names someone who has no account. The dialplan is taken; the account may be added \
            later.",
        callers: "one phone fewer rings for them.",
        repair: "type `onekey agent add NAME`, or correct the name.",
        example: example!("d038-unknown-agent"),
    },
    Code {
        code: "D039",
        title: "there is no line",
        means: "A dialplan needs at least one `[line.NAME]`.",
        callers: "no number can be dialled.",
        repair: "add a line.",
        example: example!("d039-no-line"),
    },
    Code {
        code: "D040",
        title: "an unknown way to meet callers",
        means: "`unknown_caller` and `unlisted_caller` are \"human_first\" (straight to a person), \"short_gate\" (one \
            short prompt) or \"ordinary\" (the line's start).",
        callers: "callers of whom nothing is known would be met by the default.",
        repair: "write one of the three.",
        example: example!("d040-welcome"),
    },
    Code {
        code: "D041",
        title: "an unknown profile",
        means: "`profiles` binds a line to sets of rules of a country or a regulator, by their names.",
        callers: "no rule of it would protect them.",
        repair: "take a name of the list.",
        example: example!("d041-profile"),
    },
    Code {
        code: "D042",
        title: "a prompt is missing in a language",
        means: "A step that callers of a line can meet says a prompt that the line's language does not have.",
        callers: "silence at that point of the call.",
        repair: "correct the id, or add the words to prompts.toml and type `onekey prompts build`.",
        example: example!("d042-no-such-prompt"),
    },
    Code {
        code: "D043",
        title: "a language lacks prompts that every call may need",
        means: "The engine itself says some prompts (not understood, place in the queue, numbers, ...); each language \
            must have them all.",
        callers: "silence where they wait or have erred.",
        repair: "add them to prompts.toml and type `onekey prompts build`.",
        example: example!("d043-language-not-whole"),
    },
    Code {
        code: "D044",
        title: "the sound of a prompt cannot be had",
        means: "prompts.toml has the words, but the WAV file is missing or cannot be read.",
        callers: "silence at that point of the call.",
        repair: "type `onekey prompts build`, or put the file there.",
        example: "",
    },
    Code {
        code: "D045",
        title: "a language has no prompts",
        means: "`language` names a folder under `prompts/`.",
        callers: "they hear nothing at all.",
        repair: "correct the language, or add the folder.",
        example: example!("d045-no-such-language"),
    },
    Code {
        code: "D046",
        title: "the short gate is not short, or does not offer a person",
        means: "The short gate meets callers of whom nobody can say whether the registry flags them. It must name the \
            human key within 8 seconds.",
        callers: "those who most need a person wait longest to be told of one.",
        repair: "shorten the words, name the key 0 in them and mark the prompt with `offers_human = true`.",
        example: example!("d046-short-gate"),
    },
    Code {
        code: "D047",
        title: "the first menu does not name the human key",
        means: "The first menu that callers meet awaits a key before any prompt has offered a person. 0 works all the \
            same, so the dialplan is taken.",
        callers: "who does not know the key will not press it.",
        repair: "say \"for a person, press 0\" first and mark the prompt with `offers_human = true`.",
        example: example!("d047-menu-does-not-offer"),
    },
    Code {
        code: "D048",
        title: "callers are told of a person too late",
        means: "From the answer on, a person must be offered in words within `announce_within` (30s unless the line says \
            otherwise), counted by the lengths of the prompts.",
        callers: "they listen for long before they learn that a person can be had.",
        repair: "offer the key 0 in the first prompt.",
        example: example!("d048-told-too-late"),
    },
    Code {
        code: "D049",
        title: "an agent of a queue cannot be read",
        means: "Agents of a queue are a list of names, each with a level if need be: [\"1001\", \"1002 level 2\"]. Level \
            1 is rung first.",
        callers: "this agent's phone does not ring for them.",
        repair: "write one agent in each pair of quotes.",
        example: example!("d049-agent"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_none_is_given_twice() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(CODES.iter().all(|code| code.code.len() == 4 && code.code.starts_with('D')));
    }
}
