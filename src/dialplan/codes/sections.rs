//! What is wrong with one section, or between sections: lines, menus, hours, queues.

use super::{Code, example};

pub(super) const CODES: [Code; 23] = [
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
        means: "A menu, play, collect, say, voicemail or callback needs `say`, a list of prompt ids.",
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
        title: "a rule of `direct` or `gentle` cannot be read",
        means: "`direct` lists who meets no menu, `gentle` who has more time and one error more: \"age >= 65\" or \"flag assist\" (a flag of the registry).",
        callers: "those who should go straight to a person, or have more time, are met like everyone else.",
        repair: "write one of the two forms.",
        example: example!("d020-direct"),
    },
    Code {
        code: "D021",
        title: "the registry cannot tell this age",
        means: "The registry keeps no birth dates, only whether (or in which month) a caller reaches each age of \
            `registry.thresholds`. An age that is not listed can never be found.",
        callers: "callers of that age are met like everyone else.",
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
        means: "`back` is the one menu that leads to this section, directly or through sections that are no menus. Where several menus do, or none, nobody can say which is meant.",
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
        title: "nothing is said of what comes after a section",
        means: "A play or a say either goes on (`then`) or is the end of a service (`finished = true`), after which a person is offered before the call ends. A collect, a lookup or a set always goes on.",
        callers: "silence: the call would have nowhere to go.",
        repair: "add `then = \"menu main\"` or `finished = true`.",
        example: example!("d030-what-then"),
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
        code: "D049",
        title: "an agent of a queue cannot be read",
        means: "Agents of a queue are a list of names, each with a level if need be: [\"1001\", \"1002 level 2\"]. Level \
            1 is rung first.",
        callers: "this agent's phone does not ring for them.",
        repair: "write one agent in each pair of quotes.",
        example: example!("d049-agent"),
    },
];
