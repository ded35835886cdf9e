//! Every rule of every profile, on a line that is well and on lines that are broken in one thing each: which rules each of
//! them breaks, and which cannot be decided there, stands in `tests/profiles/rules.txt` (`BLESS=1` writes it anew; read it).

use onekey::codec::{Codec, FRAME_SAMPLES};
use onekey::dialplan::{Facts, load, profiles};
use onekey::ids::{Language, PromptId};
use onekey::prompt::{Prompt, PromptFacts, PromptLibrary, spoken};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// A bank's line that most profiles would be content with.
const GOOD: &str = r#"[line.bank]
numbers = ["5550100"]
start = "menu main"

[line.bank.human]
to = "queue care"
direct = ["age >= 60"]
unknown_caller = "human_first"

[menu.main]
say = ["welcome"]
1 = "queue care"
2 = "queue care"
3 = "menu more"
star = "repeat"
topics = { 1 = "card_loss", 2 = "complaint" }

[menu.more]
say = ["welcome"]
1 = "play story"
hash = "back"
star = "repeat"

[play.story]
say = ["story"]
finished = true

[queue.care]
"#;

/// Each breaks one thing: what is told of it, what goes, what comes.
const BROKEN: [(&str, &str, &str); 31] = [
    ("it goes round", "start = \"menu main\"", "start = \"play round\""),
    ("who asked is hung up on", "[queue.care]", "[queue.care]\nelse = \"hangup now\""),
    (
        "never open",
        "[queue.care]",
        "[queue.care]\nhours = \"short\"\n\n[hours.short]\nzone = \"UTC\"\nopen = [\"mon 10:00-10:30\"]",
    ),
    ("no menu", "start = \"menu main\"", "start = \"queue care\""),
    ("a choice of languages first", "start = \"menu main\"", "start = \"menu languages\""),
    ("ten errors", "start = \"menu main\"", "start = \"menu patient\""),
    (
        "the first menu offers nobody",
        "say = [\"welcome\"]\n1 = \"queue care\"",
        "say = [\"story\"]\n1 = \"queue care\"",
    ),
    ("a menu below offers nobody", "say = [\"welcome\"]\n1 = \"play story\"", "say = [\"story\"]\n1 = \"play story\""),
    (
        "a long story first",
        "start = \"menu main\"",
        "start = \"play long\"\nannounce_within = \"90s\"\n\n[play.long]\nsay = [\"long\"]\nthen = \"menu main\"\n\n[line.bank.x]\n",
    ),
    ("an advert", "say = [\"story\"]\nfinished", "say = [\"advert\"]\nfinished"),
    ("hold music that advertises", "[queue.care]", "[queue.care]\nhold_music = \"advert\""),
    ("elders meet the menu", "direct = [\"age >= 60\"]", "direct = []"),
    ("elders are 75", "direct = [\"age >= 60\"]", "direct = [\"age >= 75\"]"),
    ("withheld numbers meet the menu", "unknown_caller = \"human_first\"", "unknown_caller = \"ordinary\""),
    ("no keys while it speaks", "3 = \"menu more\"", "3 = \"menu more\"\nbarge_in = false"),
    (
        "many options",
        "3 = \"menu more\"",
        "3 = \"menu more\"\n4 = \"play story\"\n5 = \"play story\"\n6 = \"play story\"",
    ),
    ("a long wait for a key", "3 = \"menu more\"", "3 = \"menu more\"\nfirst_digit_timeout = \"20s\""),
    ("three errors", "3 = \"menu more\"", "3 = \"menu more\"\nmax_errors = 3"),
    ("no key repeats", "star = \"repeat\"\ntopics", "topics"),
    ("no key goes back", "hash = \"back\"\n", ""),
    ("no topics", "topics = { 1 = \"card_loss\", 2 = \"complaint\" }\n", ""),
    ("other topics", "topics = { 1 = \"card_loss\", 2 = \"complaint\" }\n", "topics = { 1 = \"shops\" }\n"),
    ("a lost card goes elsewhere", "1 = \"queue care\"", "1 = \"play story\""),
    ("a card is cancelled elsewhere", "1 = \"card_loss\", 2 = \"complaint\"", "3 = \"card_cancel\", 2 = \"complaint\""),
    ("a card is cancelled at once", "1 = \"card_loss\", 2 = \"complaint\"", "1 = \"card_cancel\", 2 = \"complaint\""),
    ("digits first", "start = \"menu main\"", "start = \"collect account\"\n"),
    (
        "office hours",
        "[queue.care]",
        "[queue.care]\nhours = \"office\"\n\n[hours.office]\nzone = \"UTC\"\nopen = [\"mon-fri 10:00-16:00\"]",
    ),
    ("no wait is told", "[queue.care]", "[queue.care]\nannounce_every = \"600s\""),
    ("not in order", "[queue.care]", "[queue.care]\nflagged_priority = 9"),
    ("another number is rung", "2 = \"queue care\"", "2 = \"dial shop\""),
    ("deep menus", "1 = \"play story\"", "1 = \"menu third\""),
];

const DEEP: [&str; 4] = ["menu third", "menu fourth", "menu fifth", "menu sixth"];

/// Sections that a variant may need beside.
const BESIDE: &str = r#"
[collect.account]
say = ["story"]
digits = 8
then = "menu main"

[play.round]
say = ["welcome"]
then = "play round"

[hangup.now]

[menu.languages]
say = ["welcome"]
1 = "set english"
star = "repeat"

[set.english]
language = "en"
then = "menu main"

[menu.patient]
say = ["welcome"]
1 = "queue care"
star = "repeat"
first_digit_timeout = "20s"
max_errors = 10

[dial.shop]
to = "sip:shop@192.0.2.10"

[menu.third]
say = ["welcome"]
1 = "menu fourth"
hash = "back"
star = "repeat"

[menu.fourth]
say = ["welcome"]
1 = "menu fifth"
hash = "back"
star = "repeat"

[menu.fifth]
say = ["welcome"]
1 = "menu sixth"
hash = "back"
star = "repeat"

[menu.sixth]
say = ["welcome"]
1 = "play story"
hash = "back"
star = "repeat"
"#;

fn prompts() -> PromptLibrary {
    let mut library = PromptLibrary::default();
    let own = [("welcome", 1, true), ("story", 2, false), ("long", 60, false), ("advert", 2, false)];
    let spoken = spoken::REQUIRED.iter().map(|id| (*id, 1, true));
    for (id, seconds, offers) in spoken.chain(own) {
        let sound = vec![Codec::Pcmu.silence(); FRAME_SAMPLES * 50 * seconds];
        let facts = PromptFacts {
            text: id.to_owned(),
            length: Duration::ZERO,
            offer_ends: offers.then_some(Duration::from_millis(500)),
            advert: id == "advert",
        };
        library.insert(Prompt::new(PromptId::new(id), Language::new("en"), facts, sound.clone(), sound));
    }
    library
}

/// Rules of one profile as the documentation lists them: those that are decided here, at least now and then.
fn decided(profile: &str) -> BTreeSet<String> {
    let text = profiles::one(profile).expect("a profile");
    let lines: Vec<&str> = text.lines().collect();
    let rules = lines.windows(3).filter(|three| three[0].starts_with("  ") && !three[0].starts_with("   "));
    rules
        .filter(|three| three[2].trim_start().starts_with("decided here"))
        .map(|three| three[0].trim().into())
        .collect()
}

/// What each rule of a profile that is not kept is told as.
fn told(text: &str, profile: &str, prompts: &PromptLibrary) -> BTreeMap<String, &'static str> {
    let files = [("plan.toml".to_owned(), text.to_owned())];
    let facts = Facts { profiles: vec![profile.to_owned()], ..Facts::of(prompts) };
    let told = load(&files, &facts).1;
    let of_profile = format!("of profile {profile};");
    let mut rules = BTreeMap::new();
    for one in told.iter().filter(|one| one.message.contains(&of_profile)) {
        let rule = one.message.split("rule `").nth(1).and_then(|rest| rest.split('`').next()).expect("a rule");
        rules.insert(rule.to_owned(), one.code);
    }
    rules
}

fn plan(from: &str, to: &str) -> String {
    assert!(from.is_empty() || GOOD.contains(from), "{from} is not in the plan");
    let plan = GOOD.replacen(from, to, 1).replace("\n[line.bank.x]\n", "");
    let needs: Vec<&str> = BESIDE
        .split("\n\n")
        .filter(|section| {
            let name = section.trim().trim_start_matches('[').split(']').next().unwrap_or_default().replace('.', " ");
            plan.contains(&format!("\"{name}\""))
                || (name == "set english" && plan.contains("menu languages"))
                || (plan.contains("menu third") && DEEP.contains(&name.as_str()))
        })
        .collect();
    format!("{plan}\n{}\n", needs.join("\n\n"))
}

#[test]
fn every_rule_is_kept_by_one_line_and_broken_by_another() {
    let prompts = prompts();
    let mut drawn = String::new();
    let (mut unkept, mut kept) = (BTreeSet::new(), BTreeSet::new());
    let variants = [("as it is", "", "")].into_iter().chain(BROKEN);
    for (name, from, to) in variants {
        let text = plan(from, to);
        let _ = writeln!(drawn, "{name}");
        for profile in profiles::names() {
            let told = told(&text, profile, &prompts);
            for rule in decided(profile) {
                match told.get(&rule) {
                    Some(_) => drop(unkept.insert(rule)),
                    None => drop(kept.insert(rule)),
                }
            }
            let words = |codes: &[&str]| {
                let of = told.iter().filter(|(_, code)| codes.contains(code));
                of.map(|(rule, _)| rule.as_str()).collect::<Vec<_>>().join(" ")
            };
            for (how, codes) in [("broken", ["D075", "D076"].as_slice()), ("not decidable", ["D077"].as_slice())] {
                let rules = words(codes);
                if !rules.is_empty() {
                    let _ = writeln!(drawn, "    {profile:<20} {how}: {rules}");
                }
            }
        }
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles/rules.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &drawn).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&golden).unwrap_or_default(), drawn, "BLESS=1 writes it anew; read it");
    let all: BTreeSet<String> = profiles::names().flat_map(decided).collect();
    let never = |seen: &BTreeSet<String>| all.difference(seen).cloned().collect::<Vec<_>>();
    assert_eq!(never(&kept), Vec::<String>::new(), "rules that no line keeps");
    assert_eq!(never(&unkept), UNBREAKABLE, "rules that no line fails to keep");
}

/// No plan that can be read breaks these: 0 cannot be taken from callers, and hours always open at some time.
const UNBREAKABLE: [&str; 3] = ["bot_only", "elder_route_any_of", "human_option_exists"];

/// A key that goes back counts as no option, wherever the line begins.
#[test]
fn back_is_no_option() {
    let prompts = prompts();
    let keys = "1 = \"play story\"\n2 = \"play story\"\n3 = \"play story\"\n4 = \"play story\"\n";
    for last in ["hash = \"back\"", "9 = \"start\"", "5 = \"play story\""] {
        let text = plan("1 = \"play story\"\nhash = \"back\"", &format!("{keys}{last}"));
        let is_broken = told(&text, "baseline-one-key", &prompts).contains_key("max_commands_per_menu");
        assert_eq!(is_broken, last.starts_with('5'), "{last}");
    }
}
